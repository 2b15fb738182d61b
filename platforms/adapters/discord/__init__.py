"""Discord: a channel, by a webhook or a bot. README.md says more."""
