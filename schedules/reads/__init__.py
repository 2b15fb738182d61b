"""Shapes for screens that need more than one queryset. Frozen dataclasses; reads only."""
