"""`runscheduler` with one platform more, which publishes at once: only these benchmarks register it.

`python -m tests.benchmarks.noop` takes the words of `manage.py runscheduler`, and goes the same way from there on.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from platforms.contracts import (
    ALL_CONTENT_TYPES,
    Accepted,
    AccountHealth,
    AccountRef,
    Capabilities,
    Publication,
    Published,
)
from tests.benchmarks.marks import mark


class NoopAdapter:
    """A platform that has every post at once. The post's title says which job it is."""

    key = "noop"
    label = "Nothing"
    description = "For benchmarks"
    credential_fields: tuple[Any, ...] = ()
    option_fields: tuple[Any, ...] = ()

    def capabilities(self, account: AccountRef) -> Capabilities:
        return Capabilities(
            content_types=ALL_CONTENT_TYPES,
            media_mimes=frozenset({"image/png"}),
            max_media=4,
            can_find=False,
            replays=False,
            consistency_delay_seconds=1.0,
            max_text=1000,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[tuple[str, str]]:
        return []

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        number = publication.title.rsplit(" ", 1)[1]
        mark(int(number))
        return Published(
            remote_id=f"n{number}", url=f"https://nothing.test/posts/{number}", response={"status_code": 201}
        )

    def find(self, publication: Publication, *, timeout: float) -> Published | None:
        return None

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        raise NotImplementedError("nothing is ever accepted here")

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        return AccountHealth(ok=True, message="It works.")


def install() -> None:
    """Set Django up and register the platform."""
    import django

    django.setup()
    from platforms.registry import adapters

    adapters.register(NoopAdapter.key, NoopAdapter())


if __name__ == "__main__":
    install()
    from django.core.management import call_command

    call_command("runscheduler", *sys.argv[1:])
