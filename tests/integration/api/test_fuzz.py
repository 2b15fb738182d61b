"""A few odd requests for every operation, made from the OpenAPI file. `python -m tests.fuzz` makes hundreds (tests/fuzz)."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from rest_framework.test import APIClient
from schemathesis.generation import GenerationMode

from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.wsgi import application
from schedules.api.schema import whole
from tests import fuzz
from tests.fuzz import hooks
from tests.fuzz.__main__ import things
from tests.people import ACTOR, make_account, make_schedule

EXAMPLES = {GenerationMode.POSITIVE: 1, GenerationMode.NEGATIVE: 1}


@contextmanager
def one_connection():
    """Without what the WSGI handler does around each request, as in Django's own test client: the test's transaction is open."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


@pytest.fixture
def schema():
    config = schemathesis.Config.from_path(Path(fuzz.__file__).parent / "schemathesis.toml")
    found = schemathesis.openapi.from_dict(whole(), config=config)
    found.app = application
    return found


@pytest.fixture
def token(people, now, after):
    account = make_account(people.workspace, now)
    make_schedule(people.workspace, [account], after(hours=1))
    return workspaces.create_token(workspace=people.workspace, name="fuzz", role="owner", actor=ACTOR, now=now)[1]


def test_odd_requests_are_answered_as_the_file_says(schema, token, monkeypatch):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    monkeypatch.setattr(hooks, "THINGS", things(client))
    asked, faults = 0, []

    for result in schema.get_all_operations():
        operation = result.ok()
        for mode, examples in EXAMPLES.items():

            @settings(
                max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case):
                nonlocal asked
                asked += 1
                # what one request does, or breaks, is nothing to the next
                with transaction.atomic():
                    try:
                        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
                    except schemathesis.core.failures.FailureGroup as group:
                        faults.extend(f"{case.operation.label}: {one}" for one in group.exceptions)
                    transaction.set_rollback(True)

            with one_connection():
                ask()
    assert not faults, "\n\n".join(faults)
    assert asked > 250
