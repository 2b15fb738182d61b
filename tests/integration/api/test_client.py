"""A client that a foreign tool writes from the OpenAPI file can be worked with: the file says enough, and says it right."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from alwrity_scheduler.workspaces import services as workspaces
from schedules.api.schema import whole
from tests.people import ACTOR, make_account


@pytest.fixture
def client_code(tmp_path, monkeypatch):
    """`client_code("api.jobs.jobs_list")` is that module of a client made by openapi-python-client."""
    from openapi_python_client import generate
    from openapi_python_client.config import Config, ConfigFile, MetaType

    source = tmp_path / "openapi.json"
    source.write_text(json.dumps(whole()))
    config = Config.from_sources(
        config_file=ConfigFile(post_hooks=[]),
        meta_type=MetaType.NONE,
        document_source=Path(source),
        file_encoding="utf-8",
        overwrite=True,
        output_path=tmp_path / "written_client",
    )
    assert [str(error.detail) for error in generate(config=config)] == []
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda name: importlib.import_module(f"written_client.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "written_client"]:
        del sys.modules[name]


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_plans_pauses_and_reads_refusals(client_code, live_server, people, now):
    account = make_account(people.workspace, now)
    _, secret = workspaces.create_token(workspace=people.workspace, name="robot", role="author", actor=ACTOR, now=now)
    models = client_code("models")
    with client_code("client").AuthenticatedClient(base_url=live_server.url, token=secret) as client:
        listed = client_code("api.accounts.accounts_list").sync(client=client)
        assert [(one.id, one.name, one.state) for one in listed.results] == [
            (account.public_id, "News", models.AccountState.ACTIVE)
        ]

        made = client_code("api.schedules.schedules_create").sync(
            client=client,
            body=models.NewSchedule(
                content=models.ContentInput(title="Launch", text="We are live."),
                accounts=[account.public_id],
                rule=models.RuleOnce(kind="once", at="2026-12-01T09:00:00", timezone="Europe/Berlin"),
                state=models.NewScheduleState.ACTIVE,
            ),
        )
        assert made.next_run_at.isoformat() == "2026-12-01T08:00:00+00:00"
        assert made.next_run_at_local.isoformat() == "2026-12-01T09:00:00+01:00"

        seen = client_code("api.schedules.schedules_get").sync(made.id, client=client)
        assert (seen.content.text, seen.rule.at) == ("We are live.", "2026-12-01T09:00:00")
        paused = client_code("api.schedules.schedules_pause").sync(made.id, client=client, body=models.Empty())
        assert paused.state == models.ScheduleState.PAUSED

        again = client_code("api.schedules.schedules_pause").sync_detailed(made.id, client=client, body=models.Empty())
        assert (again.status_code, type(again.parsed)) == (409, models.Problem)
        assert again.parsed.errors[0].field == "state"
