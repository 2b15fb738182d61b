"""Pinterest: pins on a board."""
