"""Telegram: channels and groups, by a bot. README.md says more."""
