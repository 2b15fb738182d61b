"""Cells of CSV files, as a spreadsheet may read them."""

from __future__ import annotations

from typing import Any

# without it Excel takes UTF-8 for something else
BYTE_ORDER_MARK = "\ufeff"
# a cell that begins with one of these would be run by a spreadsheet
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> str:
    """Lists are joined with commas, None is empty; a text is never a formula: it gets an apostrophe before it."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
