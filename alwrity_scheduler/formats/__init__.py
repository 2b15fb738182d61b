"""Where Django's own formats of a language leave something out."""
