"""The tools, asked by the SDK's own client: in this process, over a process's pipes, and over HTTP."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from django.core.management import CommandError, call_command

from alwrity_scheduler.workspaces import services as workspaces
from platforms.models import PlatformAccount
from schedules.models import AuditLog, Job, Schedule
from schedules.services import slots
from tests.integration.apps.flow import browser_of, register
from tests.people import ACTOR, make_account, make_people, make_schedule

mcp = pytest.importorskip("mcp")

from mcp.client.streamable_http import streamable_http_client  # noqa: E402
from mcp.shared._httpx_utils import create_mcp_http_client  # noqa: E402

from schedules.assistants import server  # noqa: E402

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def now():
    """The clock of these servers is the real one."""
    from alwrity_scheduler.core import clock

    return clock.now().replace(microsecond=0)


@pytest.fixture
def team(now):
    return make_people(now)


def token(workspace: Any, now: Any, role: str = "author", **values: Any) -> str:
    return workspaces.create_token(workspace=workspace, name="Assistant", role=role, actor=ACTOR, now=now, **values)[1]


def talk(where: Any, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """The answers of the calls, in one session. What was refused comes as its words."""

    async def session() -> list[Any]:
        async with mcp.Client(where) as client:
            answers = []
            for name, given in calls:
                found = await client.call_tool(name, given)
                answers.append(found.content[0].text if found.is_error else found.structured_content)
            return answers

    return anyio.run(session)


def test_every_tool_says_what_it_takes_and_answers(team, now):
    async def tools() -> list[Any]:
        async with mcp.Client(server.over_stdio("alw_any")) as client:
            assert "Begin with list_accounts" in client.instructions
            return (await client.list_tools()).tools

    found = {tool.name: tool for tool in anyio.run(tools)}
    assert sorted(found) == [
        "cancel", "find_slot", "get_post", "list_accounts", "list_jobs", "list_posts", "pause", "reschedule", "resume", "retry",
        "schedule", "validate", "what_needs_me",
    ]  # fmt: skip
    assert all(tool.description and tool.output_schema["type"] == "object" for tool in found.values())
    # what a model cannot guess is said
    assert set(found["schedule"].input_schema["required"]) == {"accounts", "text"}
    assert "no second post" in found["schedule"].description
    assert found["list_posts"].annotations.read_only_hint
    assert not found["cancel"].annotations.read_only_hint


def test_a_post_from_the_first_question_to_its_end(team, now):
    account = make_account(team.workspace, now)
    slots.set_slots(
        account=account, times=[(day, (now + timedelta(hours=3)).time()) for day in range(7)], actor=ACTOR, now=now
    )
    here = server.over_stdio(token(team.workspace, now))
    day = (now + timedelta(days=1)).date()
    new = {
        "accounts": [str(account.public_id)],
        "text": "We are live.",
        "at": f"{day}T09:00:00",
        "timezone": "Europe/Berlin",
        "state": "active",
        "key": "launch-1",
    }
    accounts, verdict, made, again, found_slot = talk(
        here,
        ("list_accounts", {}),
        ("validate", {"accounts": new["accounts"], "text": "We are live."}),
        ("schedule", new),
        ("schedule", new),
        ("find_slot", {"accounts": new["accounts"]}),
    )
    assert [(one["name"], one["timezone"]) for one in accounts["accounts"]] == [("News", "Europe/Berlin")]
    assert verdict["accounts"][0]["verdict"] in ("ok", "warning"), verdict
    assert made["state"] == "active"
    assert made["next_run_at_local"].startswith(f"{day}T09:00:00+0")
    assert again["id"] == made["id"]
    assert Schedule.objects.count() == 1
    assert found_slot["slots"][0]["at"] is not None
    fact = AuditLog.objects.get(action="schedule.created")
    assert (fact.actor_kind, fact.actor_label) == ("token", "API token Assistant")

    span = {"since": now.isoformat(), "until": (now + timedelta(days=10)).isoformat()}
    [planned] = talk(here, ("list_posts", span))[0]["posts"]
    assert (planned["schedule"], planned["at_local"][:19]) == (made["id"], f"{day}T09:00:00")
    move = {
        "post_key": planned["key"],
        "version": planned["version"],
        "at": f"{day}T15:30:00",
        "timezone": "Europe/Berlin",
    }
    moved, shown, paused, resumed, stale = talk(
        here,
        ("reschedule", move),
        ("get_post", {"post": made["id"]}),
        ("pause", {"post": made["id"]}),
        ("resume", {"post": made["id"]}),
        ("reschedule", move),
    )
    assert moved["at_local"][:19] == f"{day}T15:30:00"
    assert shown["next_run_at_local"][:19] == f"{day}T15:30:00"
    assert (paused["state"], resumed["state"]) == ("paused", "active")
    assert "Not done: Not found." in stale
    [planned] = talk(here, ("list_posts", span))[0]["posts"]
    [stale] = talk(here, ("reschedule", {**move, "post_key": planned["key"]}))
    assert "Not done: It was changed in between." in stale

    job = Job.objects.get(state="pending")
    listed, cancelled, once_more = talk(
        here,
        ("list_jobs", {"state": "pending"}),
        ("cancel", {"job": str(job.public_id)}),
        ("cancel", {"job": str(job.public_id)}),
    )
    assert [one["id"] for one in listed["jobs"]] == [str(job.public_id)]
    assert cancelled["state"] == "cancelled"
    assert "Not done: Not possible in this state." in once_more


def test_what_needs_a_person_and_a_second_try(team, now):
    account = make_account(team.workspace, now)
    make_schedule(team.workspace, [account], now + timedelta(hours=1))
    Job.objects.update(state="failed", finished_at=now, error_message="The platform said no.")
    job = str(Job.objects.get().public_id)
    cases, retried = talk(server.over_stdio(token(team.workspace, now)), ("what_needs_me", {}), ("retry", {"job": job}))
    assert [(one["id"], one["cause"]) for one in cases["posts"]] == [(job, "failed")]
    assert "retry" in {way["verb"] for way in cases["posts"][0]["ways_out"]}
    assert retried["state"] == "pending"


def test_refusals_name_the_field_and_the_remedy_and_change_nothing(team, now):
    account = make_account(team.workspace, now)
    foreign = make_account(team.other_workspace, now)
    narrow = server.over_stdio(_narrowed(token(team.workspace, now), ["schedules:read", "accounts:read"]))
    viewer = server.over_stdio(token(team.workspace, now, "viewer"))
    author = server.over_stdio(token(team.workspace, now))
    new = {"accounts": [str(account.public_id)], "text": "Hello"}
    row = make_schedule(team.workspace, [account], now + timedelta(days=1))
    there = make_schedule(team.other_workspace, [foreign], now + timedelta(days=1))
    count = Schedule.objects.count()

    no_time, no_zone, not_mine, hidden, odd = talk(
        author,
        ("schedule", new),
        ("schedule", {**new, "at": "2030-01-01T09:00:00"}),
        ("schedule", {**new, "accounts": [str(foreign.public_id)], "at": "2030-01-01T09:00:00Z"}),
        ("get_post", {"post": str(there.public_id)}),
        ("reschedule", {"post_key": "../../accounts", "version": 1, "at": "2030-01-01T09:00:00Z"}),
    )
    assert "rule.at: Say when, like 2026-12-01T09:00:00." in no_time
    assert "rule.timezone: Say in which time zone this is meant, like Europe/Berlin." in no_zone
    assert "Not done:" in not_mine
    assert "accounts" in not_mine
    assert "Not done: Not found." in hidden
    assert "post_key:" in odd
    assert "Your role may not write" in talk(viewer, ("schedule", {**new, "at": "2030-01-01T09:00:00Z"}))[0]
    assert talk(narrow, ("get_post", {"post": str(row.public_id)}))[0]["id"] == str(row.public_id)
    assert "schedules:write" in talk(narrow, ("pause", {"post": str(row.public_id)}))[0]
    assert "Not done" in talk(server.over_stdio("alw_unknown"), ("list_accounts", {}))[0]
    assert Schedule.objects.count() == count
    assert PlatformAccount.objects.count() == 2


def _narrowed(secret: str, scopes: list[str]) -> str:
    from alwrity_scheduler.workspaces.models import ApiToken

    ApiToken.objects.filter(digest=workspaces.digest(secret)).update(scopes=scopes)
    return secret


def test_over_http_each_request_says_who_asks(team, now):
    """An API token, an app's token for this very server, and nobody."""
    make_account(team.workspace, now)
    make_account(team.other_workspace, now, name="Elsewhere")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/mcp"
    program = register(team.workspace, now)
    browser = browser_of(team.author)
    for_here = program.tokens(browser, team.workspace, scope="accounts:read", resource=url)["access_token"]
    for_elsewhere = program.tokens(browser, team.workspace, scope="accounts:read", resource="https://x.example.com/mcp")

    with _serving(server.http_app(url), port):
        names = {secret: _over_http(url, secret) for secret in (token(team.other_workspace, now, "viewer"), for_here)}
        assert [[one["name"] for one in told["accounts"]] for told in names.values()] == [["Elsewhere"], ["News"]]

        for secret in ("", "alw_unknown", for_elsewhere["access_token"]):
            refused = httpx.post(url, headers={"Authorization": f"Bearer {secret}"} if secret else {}, json={})
            assert refused.status_code == 401
        where = refused.headers["WWW-Authenticate"].partition('resource_metadata="')[2].partition('"')[0]
        told = httpx.get(where).json()
        assert (told["resource"], told["authorization_servers"]) == (url, ["http://127.0.0.1:8000"])
        assert told["scopes_supported"] == ["accounts:read", "content:read", "jobs:write", "schedules:write"]
        # a page of another site that found the port
        assert (
            httpx.post(
                url, headers={"Authorization": f"Bearer {for_here}", "Host": "evil.example"}, json={}
            ).status_code
            == 421
        )


def _over_http(url: str, secret: str) -> Any:
    async def session() -> Any:
        async with (
            create_mcp_http_client(headers={"Authorization": f"Bearer {secret}"}) as http,
            mcp.Client(streamable_http_client(url, http_client=http)) as client,
        ):
            return (await client.call_tool("list_accounts", {})).structured_content

    return anyio.run(session)


class _serving:  # noqa: N801 - reads as words
    def __init__(self, app: Any, port: int) -> None:
        import uvicorn

        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> None:
        self.thread.start()
        until = time.monotonic() + 20
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert self.server.started

    def __exit__(self, *_error: object) -> None:
        self.server.should_exit = True
        self.thread.join(20)


@pytest.mark.vendor("sqlite")
@pytest.mark.processes
def test_over_the_pipes_of_a_process(team, now, settings):
    make_account(team.workspace, now)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "alwrity_scheduler.settings",
        "DATABASE_URL": f"sqlite:///{settings.DATABASES['default']['NAME']}",
        "ALWRITY_TOKEN": token(team.workspace, now),
    }
    process = mcp.StdioServerParameters(
        command=sys.executable, args=["manage.py", "mcp"], cwd=str(ROOT), env=environment
    )
    told, refused = talk(process, ("list_accounts", {}), ("get_post", {"post": "0190a0a0-0000-7000-8000-000000000000"}))
    assert [one["name"] for one in told["accounts"]] == ["News"]
    assert "Not done: Not found." in refused


def test_without_the_extra_or_a_token_a_sentence_says_what_to_do(monkeypatch):
    from schedules.management.commands import mcp as command

    monkeypatch.delenv("ALWRITY_TOKEN", raising=False)
    with pytest.raises(CommandError, match="ALWRITY_TOKEN=alw_"):
        call_command("mcp")
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match="uv sync --extra mcp"):
        call_command("mcp")
