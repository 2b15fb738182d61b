"""Text as platforms count, link and split it. Pure: no Django."""
