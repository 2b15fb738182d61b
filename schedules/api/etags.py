"""ETags of single rows, and `If-Match` (RFC 9110, 13.1.1): a change goes through only on the row that was looked at.

An ETag covers the row's own columns. What the engine notes on a row for itself (when it looked last) and when a token was used are
left out: they are no edits, and would make every change of a busy row fail.
"""

from __future__ import annotations

import hashlib

from django.db import connection, models

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.secrets import EncryptedJSONField

NOTES = frozenset(
    {
        "budgets",
        "last_used_at",
        "last_used_from",
        "lease_until",
        "next_slot_at",
        "not_before_at",
        "planned_until",
        "tzdata",
        "worker",
    }
)


class PreconditionFailed(Refused):
    """Somebody changed the thing since it was looked at."""

    status = 412


def etag_of(row: models.Model) -> str:
    """A strong ETag, quoted. It costs no query unless a column was left out of the row's own."""
    found = hashlib.sha256()
    for field in row._meta.concrete_fields:
        if field.name not in NOTES and not isinstance(field, EncryptedJSONField):
            found.update(f"{field.attname}={getattr(row, field.attname)!r};".encode("utf-8", "surrogatepass"))
    return f'"{found.hexdigest()[:20]}"'


def matches(wanted: str, etag: str) -> bool:
    """Does an `If-Match` name this ETag? Weak ones never match, as the RFC says."""
    return wanted.strip() == "*" or etag in [part.strip() for part in wanted.split(",")]


def lock(row: models.Model) -> None:
    """Hold the row until the end of the transaction. SQLite lets one writer in at a time anyway."""
    if connection.features.has_select_for_update:
        type(row)._base_manager.select_for_update().filter(pk=row.pk).values_list("pk").first()


def failed(etag: str = "") -> PreconditionFailed:
    words = (
        "It was changed since you looked at it. Get it again, look at what changed, and send your change with the new ETag."
        if etag
        else "Nothing here has an ETag. Leave If-Match out."
    )
    return PreconditionFailed(Problem(field="If-Match", message=words, code="precondition_failed"))
