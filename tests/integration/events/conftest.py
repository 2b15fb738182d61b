"""Who asks. The clock stands at `NOW` for what the services write."""

from __future__ import annotations

from typing import Any

import pytest

from alwrity_scheduler.workspaces import services as workspaces
from tests.integration.api.callers import Caller, signed_in, with_token
from tests.people import ACTOR, People


@pytest.fixture
def secret(people: People, now: Any) -> str:
    """A viewer's token."""
    _row, secret = workspaces.create_token(workspace=people.workspace, name="n8n", role="viewer", actor=ACTOR, now=now)
    return secret


@pytest.fixture
def api(secret: str) -> Caller:
    return with_token(secret)


@pytest.fixture
def stranger(people: People) -> Caller:
    return signed_in(people.stranger)
