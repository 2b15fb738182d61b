"""Slack: a channel, by a bot or an incoming webhook. README.md says more."""
