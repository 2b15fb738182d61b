"""The pages people use: HTMX in our own shell. Each view loads, validates, makes one service call and renders."""
