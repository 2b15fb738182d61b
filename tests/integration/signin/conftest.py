"""The door, tried through Django's client: whoever signs in here signs in by the form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from alwrity_scheduler.core import sightings
from alwrity_scheduler.signin import mails

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def _no_guess_is_remembered() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def seen() -> Iterator[list[sightings.Sighting]]:
    """Every sighting of the test."""
    kept: list[sightings.Sighting] = []
    sightings.subscribe(kept.append)
    yield kept
    sightings._listeners.remove(kept.append)


@pytest.fixture
def kinds(seen: list[sightings.Sighting]) -> Callable[[], list[str]]:
    return lambda: [one.kind for one in seen]


@pytest.fixture
def sign_in() -> Callable[..., Any]:
    """`sign_in("ana")`: (client, answer) of a browser of its own."""

    def make(name: str, password: str = PASSWORD, *, client: Client | None = None, to: str = "", **extra: Any) -> Any:
        client = client or Client(**extra)
        data = {"login": name, "password": password, **({"next": to} if to else {})}
        return client, client.post(reverse("login"), data)

    return make


@pytest.fixture
def outbox(settings: Any) -> Callable[[], list[Any]]:
    """The mails that have left; asking waits for those under way."""
    settings.EMAIL_READY = True

    def look() -> list[Any]:
        mails.wait()
        return mail.outbox

    return look
