"""The REST API under /api/v1/: parse and shape, ONE service call, answer.

Must never write a row itself, nor know of screens.
"""
