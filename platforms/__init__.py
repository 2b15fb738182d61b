"""The outside world: accounts, limits, media and one adapter a platform. Knows nothing of schedules."""
