"""The product's centre: content, schedules, jobs and the engine that publishes them."""
