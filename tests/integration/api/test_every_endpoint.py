"""Each operation of the API, asked by everybody: access_table.txt says what each is answered.

An operation without a line fails, and a line without an operation. Every request is undone after it was answered.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import resolve
from rest_framework.test import APIClient

from alwrity_scheduler.security.models import SecurityAlert
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.scopes import AREAS
from platforms.models import CircuitState, PlatformAccount
from schedules.api import urls
from schedules.models import Job, Schedule
from schedules.models.composer import ComposerDraft
from schedules.notifications.models import Notice
from schedules.webhooks import collecting
from schedules.webhooks.models import Delivery
from tests.engine import run_due
from tests.integration.api.access_bodies import BODIES
from tests.integration.api.callers import API
from tests.integration.api.test_connecting import HOOK
from tests.integration.api.test_media import picture
from tests.integration.apps import flow
from tests.integration.webhooks.conftest import happen
from tests.people import ACTOR, People, Team, limit, make_account, make_schedule

TABLE = Path(__file__).with_name("access_table.txt")
CALLERS = (
    "owner", "manager", "approver", "author", "viewer", "reviewer", "stranger", "revoked", "wrong_scope", "nobody",
)  # fmt: skip
METHODS = ("get", "post", "put", "patch", "delete")
KINDS_OF_GRAPHQL = {"not-allowed": 403, "not-found": 404, "invalid": 422}
# who has the address has the thing: platforms fetch what is to be published
PUBLIC = ("{media_link}", "/hooks/", "/oauth/")
# what is no address of the REST API
BESIDE = ("/", "{media_link}")
INSIDE = ("manager", "approver", "author", "viewer")
# the history names what was made, also where it may not be opened
TELL_OF_EVERYTHING = ("audit/", "events/", "events/stream", "events/stream/")
# what the outside reviewer was given, and what is told along with it
GIVEN_FOR_REVIEW = frozenset({"asked", "asked_content", "review", "account", "room"})
# what is on `account`, or on another one that is not `spare`
ON_OTHER_ACCOUNTS = frozenset(
    {
        "account", "resting", "down", "keyed", "schedule", "draft", "paused", "archived", "recurring", "asked", "content",
        "asked_content", "job", "failed", "missed", "unconfirmed", "out", "cancelled", "event", "review", "review_link",
    }
)  # fmt: skip
# in the name of everything that the workspace has: a stranger never reads it
MARK = "Marlin"


@dataclass(frozen=True)
class Line:
    number: int
    method: str
    address: str
    body: str
    expected: tuple[int, ...]

    @property
    def label(self) -> str:
        return f"{self.method} {self.address}"


def table() -> list[Line]:
    found = []
    for number, text in enumerate(TABLE.read_text().splitlines(), start=1):
        words = text.partition("#")[0].split()
        if words:
            method, address, body, *statuses = words
            found.append(Line(number, method, address, body, tuple(int(status) for status in statuses)))
    return found


def operations() -> set[tuple[str, str]]:
    """(METHOD, route) of everything that the API's addresses answer."""
    found = set()
    for pattern in urls.urlpatterns:
        view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
        # a page, and the address of what is nowhere, have no methods of their own
        names = [name for name in METHODS if hasattr(view, name)] or ["get"]
        found |= {(name.upper(), str(pattern.pattern)) for name in names}
    return found


# ---- what there is


@dataclass
class Scene:
    """`ids`: name in the table -> what stands in the address. `people`: name of the caller -> who asks."""

    ids: dict[str, str]
    people: dict[str, APIClient]


def _token(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def _person(user: Any) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def scene(people: People, team: Team, settings: Any, tmp_path: Path, now: datetime) -> Scene:
    settings.MEDIA_ROOT = tmp_path
    gone, gone_secret = _make_token(people, now, name="gone")
    workspaces.revoke_token(token=gone, actor=ACTOR, now=now)
    scene = Scene(
        {"room": str(people.workspace.public_id)},
        {
            "owner": _person(people.owner),
            "manager": _person(team.manager),
            "approver": _person(team.approver),
            "author": _person(people.author),
            "viewer": _person(people.viewer),
            "reviewer": _person(team.reviewer),
            "stranger": _person(people.stranger),
            "revoked": _token(gone_secret),
            "wrong_scope": _token(_make_token(people, now, name="narrow", scopes=["analytics:read"])[1]),
            "elsewhere": _token(_make_token(people, now, name="figures", scopes=["notifications:read"])[1]),
            "reading": _token(_make_token(people, now, name="reading", scopes=[f"{area}:read" for area in AREAS])[1]),
            "nobody": APIClient(),
        },
    )
    _accounts(scene, people, now)
    _schedules(scene, people, now)
    _shelves(scene, people, now)
    _integrations(scene, people, now)
    _own(scene, people, now)
    return scene


def _make_token(people: People, now: datetime, **values: Any) -> tuple[Any, str]:
    return workspaces.create_token(workspace=people.workspace, role="owner", actor=ACTOR, now=now, **values)


def _made(scene: Scene, name: str, path: str, body: Any, *, by: str = "owner") -> dict[str, Any]:
    """Made through the API."""
    answer = scene.people[by].post(API + path, _filled(body, scene.ids), format="json")
    assert answer.status_code == 201, (path, answer.content)
    shown: dict[str, Any] = answer.json()
    scene.ids[name] = str(shown["id"])
    return shown


def _accounts(scene: Scene, people: People, now: datetime) -> None:
    from platforms.services import accounts

    for name in ("account", "spare", "down", "resting"):
        row = make_account(people.workspace, now, name=MARK if name == "account" else f"{MARK} {name}")
        scene.ids[name] = str(row.public_id)
        if name == "down":
            down = {"state": "open", "failures": 6, "opened_at": now, "retry_at": now + timedelta(minutes=4)}
            CircuitState.objects.update_or_create(account=row, defaults=down)
    accounts.pause(account=row, reason="", actor=ACTOR, now=now)
    _made(scene, "keyed", "accounts/", {**HOOK, "name": f"{MARK} keyed"})
    where = f"{API}accounts/{scene.ids['account']}/posting-times/"
    assert scene.people["owner"].put(where, BODIES["times"], format="json").status_code == 200


def _schedules(scene: Scene, people: People, now: datetime) -> None:
    from schedules.services import lifecycle

    account = PlatformAccount.objects.get(public_id=scene.ids["account"])
    later = now + timedelta(days=3)

    def make(name: str, at: datetime, state: str = "active", **plan: Any) -> Schedule:
        made: Schedule = make_schedule(people.workspace, [account], at, state=state, text=f"{MARK} {name}", **plan)
        scene.ids[name] = str(made.public_id)
        return made

    make("draft", later, "draft")
    made = make("schedule", later)
    scene.ids |= {"content": str(made.content.public_id), "job": str(made.jobs.get().public_id)}
    lifecycle.pause(schedule=make("paused", later + timedelta(hours=2)), actor=ACTOR, now=now)
    lifecycle.archive(schedule=make("archived", later + timedelta(hours=4)), actor=ACTOR, now=now)
    lifecycle.skip_occurrence(
        schedule=make("recurring", now, rule_kind="cron", expression="0 9 * * *"),
        nominal_local=datetime(2026, 11, 27, 9), actor=ACTOR, now=now,
    )  # fmt: skip
    asked = make("asked", later + timedelta(hours=6), "draft")
    scene.ids["asked_content"] = str(asked.content.public_id)
    scene.ids["out"] = str(make("of_out", now).jobs.get().public_id)
    run_due(now)
    for name in ("failed", "missed", "unconfirmed"):
        job = make(f"of_{name}", now - timedelta(days=1)).jobs.get()
        Job.objects.filter(pk=job.pk).update(state=name, reason="", attempt_count=1)
        scene.ids[name] = str(job.public_id)
    scene.ids["cancelled"] = str(make("of_cancelled", later + timedelta(hours=8)).jobs.get().public_id)
    owner = scene.people["owner"]
    assert owner.post(f"{API}jobs/{scene.ids['cancelled']}/cancel/").status_code == 200
    shown = owner.get(f"{API}calendar/?since=2026-11-20&until=2026-12-20").json()
    scene.ids["event"] = next(row["key"] for row in shown["results"] if scene.ids["job"] in json.dumps(row))
    # asked for by somebody else than those who answer: nobody approves their own
    _made(scene, "review", f"schedules/{scene.ids['asked']}/submit-for-approval/", {}, by="author")
    _made(scene, "review_link", f"schedules/{scene.ids['asked']}/review-links/", BODIES["link"])
    answer = owner.post(
        f"{API}schedules/{scene.ids['schedule']}/dependencies/", {"waits_for": scene.ids["paused"]}, format="json"
    )
    assert answer.status_code == 201, answer.content
    _made(scene, "label", "imports/", BODIES["import"])


def _shelves(scene: Scene, people: People, now: datetime) -> None:
    owner = scene.people["owner"]
    _made(scene, "group", "account-groups/", {"name": f"{MARK} all", "accounts": ["{account}"]})
    _made(scene, "template", "templates/", {"name": f"{MARK} weekly", "content": {"text": "Hi"}})
    _made(scene, "hashtags", "hashtag-groups/", {"name": f"{MARK} sea", "hashtags": ["marlin"]})
    _made(scene, "campaign", "campaigns/", {"name": f"{MARK} winter"})
    _made(scene, "folder", "media/folders/", {"name": f"{MARK} pier"})
    for name, colour in (("asset", "teal"), ("gone_asset", "navy")):
        file = SimpleUploadedFile(f"{MARK}-{name}.png", picture(colour))
        shown = owner.post(f"{API}media/", {"file": file}, format="multipart").json()
        scene.ids[name] = shown["id"]
        scene.ids.setdefault("media_link", "/" + shown["url"].split("/", 3)[3])
    for name in ("milestone", "gone_milestone"):
        _made(scene, name, "milestones/", {"name": f"{MARK} {name}", "due_on": "2026-12-24"})
    for path in ("media/{gone_asset}/", "milestones/{gone_milestone}/"):
        assert owner.delete(API + path.format(**scene.ids)).status_code == 204


def _integrations(scene: Scene, people: People, now: datetime) -> None:
    _made(scene, "sign_in_app", "sign-in-apps/", BODIES["sign_in_app"])
    _made(scene, "token", "tokens/", {"name": f"{MARK} n8n", "role": "viewer"})
    _made(scene, "invitation", "invitations/", {"email": "marlin@example.com", "role": "author"})
    _made(scene, "webhook", "webhooks/", {**BODIES["webhook"], "description": MARK})
    hook = _made(scene, "hook", "hooks/", {**BODIES["hook"], "name": f"{MARK} hook"})
    scene.ids["hook_address"] = hook["address"].rstrip("/").rpartition("/")[2]
    happen(people.workspace, now + timedelta(seconds=1))
    collecting.collect(now=now + timedelta(seconds=1))
    delivery = Delivery.objects.latest("id")
    Delivery.objects.filter(pk=delivery.pk).update(state="failed")
    scene.ids["delivery"] = str(delivery.public_id)
    program = flow.register(people.workspace, now, name=f"{MARK} app")
    program.code(flow.browser_of(people.owner), people.workspace)
    scene.ids |= {"app": str(program.app.public_id), "consent": urlencode(program.query())}
    grants = scene.people["owner"].get(f"{API}app-grants/").json()["results"]
    scene.ids["permission"] = grants[0]["id"]


def _own(scene: Scene, people: People, now: datetime) -> None:
    """The owner's own things, and what concerns owners."""
    _made(scene, "view", "views/", {**BODIES["view"], "name": f"{MARK} failed", "shared": True})
    for name, ended in (("own_draft", None), ("gone_draft", now)):
        row = ComposerDraft.objects.create(
            workspace=people.workspace, person=people.owner, data={"title": [MARK]}, created_at=now, updated_at=now,
            discarded_at=ended,
        )  # fmt: skip
        scene.ids[name] = str(row.public_id)
    notice = Notice.objects.create(
        workspace=people.workspace, user=people.owner, kind="failed", key="failed:1", object_type="account", object_id="1",
        words={"name": MARK, "post": MARK, "error": "No."}, count=1, left=1, first_at=now, last_at=now,
    )  # fmt: skip
    alert = SecurityAlert.objects.create(
        key="guessing:ana",
        kind="guessing",
        at=now,
        who=MARK,
        workspace_ref=people.workspace.pk,
        user_ref=people.owner.pk,
    )
    scene.ids |= {"notice": str(notice.public_id), "alert": str(alert.public_id)}


def _filled(body: Any, ids: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, ids) for value in body]
    if isinstance(body, str):
        for name, value in ids.items():
            body = body.replace(f"{{{name}}}", value)
    return body


# ---- asking


@dataclass(frozen=True)
class Asked:
    status: int
    sent: str
    words: str


def ask(scene: Scene, who: str, line: Line) -> Asked:
    """What was answered, with everything undone that the request did. A stream of events stays unread."""
    path = line.address.format(**scene.ids)
    path = path if path.startswith("/") else API + path
    body = {} if line.body == "-" else _filled(BODIES[line.body], scene.ids)
    sent = (path + json.dumps(body)).lower()
    if line.body == "file":
        body = {"file": SimpleUploadedFile("pier.png", picture("red"))}
    call = getattr(scene.people[who], line.method.lower())
    with transaction.atomic():
        if line.method == "GET":
            answer = call(path)
        else:
            answer = call(path, body, format="multipart" if line.body == "file" else "json")
        words = ""
        if not answer.streaming:
            words = answer.content.decode(errors="replace")
        elif not answer["Content-Type"].startswith("text/event-stream"):
            words = b"".join(answer.streaming_content).decode(errors="replace")
        transaction.set_rollback(True)
    return Asked(_status(answer, words), sent, words)


def _status(answer: Any, words: str) -> int:
    """GraphQL answers 200 and says in the body how it went."""
    if answer.status_code == 200 and answer.wsgi_request.path == "/api/graphql/" and (
        errors := json.loads(words).get("errors")
    ):  # fmt: skip
        return KINDS_OF_GRAPHQL[errors[0]["extensions"]["code"]]
    return int(answer.status_code)


def _door(line: Line) -> Any:
    """The view of the API that answers; None beside it."""
    return None if line.address.startswith(BESIDE) else getattr(_match(line).func, "cls", None)


def _match(line: Line) -> Any:
    path = re.sub(r"\{\w+\}", str(UUID(int=1)), line.address.partition("?")[0])
    return resolve(f"/{path}", "schedules.api.urls")


def _closed() -> dict[str, list[str]]:
    """caller -> names of the rows that the table does not let them open."""
    found: dict[str, list[str]] = {who: [] for who in CALLERS}
    for line in table():
        opened = re.fullmatch(r"[\w/-]+/\{(\w+)\}/", line.address)
        if opened and line.method == "GET":
            for who, status in zip(CALLERS, line.expected, strict=True):
                found[who] += [opened[1]] if status in (403, 404) else []
    return found


def leaks(scene: Scene, asked: Asked, known: frozenset[str] = frozenset()) -> list[str]:
    """The names of what the answer tells of the workspace, beyond what was asked with. known: what this caller may see."""
    words = asked.words.lower()
    # the key of the calendar is so short that it stands in other words too
    ids = {name: value for name, value in scene.ids.items() if len(value) >= 20 and name not in known}
    found = [name for name, value in ids.items() if value in words and value not in asked.sent]
    return found if known or MARK.lower() not in words or MARK.lower() in asked.sent else [*found, MARK]


def test_every_operation_has_a_line_and_every_line_an_operation() -> None:
    lines = [line for line in table() if not line.address.startswith(BESIDE)]
    told = {(line.method, _match(line).route) for line in lines}

    assert sorted(operations() - told) == []
    assert sorted(told - operations()) == []
    assert [line.label for line in table() if len(line.expected) != len(CALLERS)] == []


def test_everybody_is_answered_as_the_table_says(scene: Scene) -> None:
    wrong = []
    closed = _closed()
    for line in table():
        # the narrow token holds another area than the one that is asked for
        door = _door(line)
        narrow = "elsewhere" if getattr(door, "area", None) == "analytics" else "wrong_scope"
        asked = {who: ask(scene, narrow if who == "wrong_scope" else who, line) for who in CALLERS}
        for who, status in zip(CALLERS, line.expected, strict=True):
            if asked[who].status != status:
                wrong.append(f"line {line.number}: {line.label} as {who}: {asked[who].status}, not {status}")
        if asked["wrong_scope"].status == 403 and "insufficient_scope" not in asked["wrong_scope"].words:
            wrong.append(f"line {line.number}: {line.label}: the narrow token is refused for something else")
        if line.method != "GET" and getattr(door, "area", None) and door.writes:
            reading = ask(scene, "reading", line)
            if reading.status != 403 or "insufficient_scope" not in reading.words:
                wrong.append(f"line {line.number}: {line.label} as a token that only reads: {reading.status}, not 403")
        if line.method == "GET" and "{" not in line.address and line.address not in TELL_OF_EVERYTHING:
            wrong += [
                f"line {line.number}: {line.label} lists {name} to {who}, who may not open it"
                for who in INSIDE
                for name in closed[who]
                if scene.ids[name] in asked[who].words
            ]
        if not line.address.startswith(PUBLIC):
            seen = {who: leaks(scene, asked[who]) for who in ("stranger", "revoked", "nobody")}
            seen["reviewer"] = leaks(scene, asked["reviewer"], GIVEN_FOR_REVIEW)
            wrong += [
                f"line {line.number}: {line.label} tells {who} of {names}" for who, names in seen.items() if names
            ]
    assert not wrong, "\n".join(wrong)


def test_what_is_on_accounts_that_were_not_given_is_not_there(
    scene: Scene, people: People, team: Team, now: datetime
) -> None:
    """An author and a token, both given one account on which there is nothing."""
    spare = PlatformAccount.objects.get(public_id=scene.ids["spare"])
    limit(team.limited, [spare], now)
    row, secret = workspaces.create_token(
        workspace=people.workspace, name="one account", role="author", actor=ACTOR, now=now
    )
    limit(row, [spare], now)
    scene.people |= {"limited": _person(team.limited), "limited_token": _token(secret)}
    wrong = []
    for line in table():
        bound = any(f"{{{name}}}" in line.address for name in ON_OTHER_ACCOUNTS)
        if not bound and (line.method != "GET" or line.address.startswith(PUBLIC)):
            continue
        for who in ("limited", "limited_token"):
            asked = ask(scene, who, line)
            if bound and asked.status != 404:
                wrong.append(f"line {line.number}: {line.label} as {who}: {asked.status}, not 404")
            if names := sorted(set(leaks(scene, asked, frozenset({"spare"}))) & ON_OTHER_ACCOUNTS):
                wrong.append(f"line {line.number}: {line.label} tells {who} of {names}")
    assert not wrong, "\n".join(wrong)
