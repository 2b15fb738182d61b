"""Seeds of second factors at rest: encrypted like every secret, inside the library's JSON column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alwrity_scheduler.core.secrets import CannotDecrypt, Rotation, reencrypt

# the keys of the column's JSON that hold what `MFA_ADAPTER` encrypted
SEALED = ("secret", "seed")
BATCH = 500


def rotate(keys: Sequence[str]) -> Rotation:
    """Put every seed under the first of `keys`, in batches by primary key. What changed meanwhile is left for the next run."""
    from allauth.mfa.models import Authenticator

    seen = changed = unreadable = last = 0
    while batch := list(Authenticator.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        for row in batch:
            seen += 1
            try:
                fresh = _fresh(row.data, keys)
            except CannotDecrypt:
                unreadable += 1
                continue
            if fresh != row.data:
                # compare-and-set: a code that was used in between must stay used
                changed += Authenticator.objects.filter(pk=row.pk, data=row.data).update(data=fresh)
        last = batch[-1].pk
    return Rotation(label="mfa.Authenticator.data", seen=seen, changed=changed, unreadable=unreadable)


def _fresh(data: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {name: reencrypt(value, keys=keys) if name in SEALED else value for name, value in data.items()}
