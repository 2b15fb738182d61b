"""Figures about what was published. Plotly stays in `figures`."""
