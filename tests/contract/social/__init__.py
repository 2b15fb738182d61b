"""X, Bluesky and Mastodon: their servers and doubles."""
