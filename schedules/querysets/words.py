"""Does a JSON array of words hold one? Each database has its own way of saying so."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import BooleanField, Func, Value


class HoldsWord(Func):
    """`HoldsWord("content__labels", "launch")`: a condition, true where the array has exactly that word."""

    output_field = BooleanField()

    def __init__(self, array: str, word: str) -> None:
        self.word = word
        super().__init__(array, Value(word))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = compiler.compile(self.source_expressions[0])
        return f"EXISTS (SELECT 1 FROM json_each({sql}) WHERE value = %s)", (*params, self.word)  # noqa: S608 - the compiler wrote it

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = compiler.compile(self.source_expressions[0])
        return f"{sql} @> %s::jsonb", (*params, json.dumps([self.word]))
