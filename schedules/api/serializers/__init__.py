"""Shapes of what comes in and what goes out, one module a subject. They validate and never save."""
