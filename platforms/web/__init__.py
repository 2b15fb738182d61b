"""The doors to media files."""
