"""Model fields that Django lacks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable

_Set = TypeVar("_Set", contravariant=True)
_Get = TypeVar("_Get", covariant=True)


class LocalDateTimeField(models.CharField[_Set, _Get]):
    """A wall-clock time without a zone: naive datetime in Python, `YYYY-MM-DDTHH:MM:SS` in the database.

    Django turns its own DateTimeField into UTC instants; a rule's start must stay what the person wrote, because
    the instant follows from the zone's rules and those change (ENGINE R6). The text form sorts by time.
    """

    description = "A wall-clock time without a zone"
    # read by the type checker alone
    _pyi_private_set_type: datetime | str | Combinable  # type: ignore[assignment]
    _pyi_private_get_type: datetime  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 19
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        return name, path, args, kwargs

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> datetime | None:
        return None if not value else datetime.fromisoformat(value)

    def to_python(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError as error:
                raise ValidationError("Write a date and time like 2026-12-01T09:00.", code="invalid") from error
        if value.tzinfo is not None:
            raise ValidationError(
                "Write the wall-clock time without an offset; the zone is a field of its own.", code="aware"
            )
        return value.replace(microsecond=0)

    def get_prep_value(self, value: Any) -> str | None:
        value = self.to_python(value)
        return None if value is None else value.isoformat(timespec="seconds")

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def formfield(self, **kwargs: Any) -> Any:
        return models.Field.formfield(
            self,
            **{
                "form_class": forms.CharField,
                "widget": forms.DateTimeInput(attrs={"type": "datetime-local"}),
                **kwargs,
            },
        )
