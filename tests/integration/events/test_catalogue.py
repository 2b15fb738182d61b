"""Every name a fact can have is in the catalogue, and real facts are as their schemas say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces import services as workspaces
from platforms.errors import Rejected
from platforms.services import accounts, groups
from schedules.events.catalogue import event_types, types
from schedules.events.envelope import HIDDEN, payload, rooms_of, schema
from schedules.models import AuditLog, Job
from schedules.services import approval, jobs, library, lifecycle, planning, slots
from schedules.services.plans import ContentDraft
from tests.engine import run_due
from tests.people import ACTOR, make_account, make_schedule

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [
    path
    for package in ("alwrity_scheduler", "platforms", "schedules")
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts and "adapters" not in path.parts
]
MAKES_FACTS = re.compile(r"(^|_)[Ff]acts?$")
NAME = re.compile(r"^[a-z_]+\.[a-z_]+$")


def _words(node: ast.expr) -> Iterator[str]:
    """The names that an expression can be; `job.{state}` gives `job.*`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _words(node.body)
        yield from _words(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)


def emitted() -> dict[str, str]:
    """name, or pattern with *, -> a file in which a fact of this name is made.

    Looks at what is given to whatever makes facts, at `fact`-like arguments, and at what names are assigned to variables.
    """
    found: dict[str, str] = {}
    for path in SOURCES:
        text = path.read_text()
        makes = "act(" in text and ("core.events" in text or "facts import" in text)
        if not makes and "def _record(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            names: list[str] = []
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                given = [*node.args, *(item.value for item in node.keywords if item.arg == "name")]
                if MAKES_FACTS.search(called):
                    names = [word for part in given[:1] for word in _words(part)]
                    names += [word for item in node.keywords if item.arg == "name" for word in _words(item.value)]
                elif called.startswith("_"):
                    names = [word for part in given for word in _words(part) if NAME.match(word)]
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                inner = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
                targets = [
                    getattr(item, "id", "") for item in getattr(node, "targets", [getattr(node, "target", None)])
                ]
                if any(name in ("name", "fact") or name.endswith("FACTS") for name in targets):
                    names = [word for part in inner for word in _words(part)]
            found |= {name: str(path.relative_to(ROOT)) for name in names if re.fullmatch(r"[a-z_*]+\.[a-z_*]+", name)}
    return found


def test_each_name_that_the_code_can_tell_has_an_entry():
    found = emitted()
    assert {"job.*", "*.changed", "schedule.occurrence_restored", "account.auth_lost", "review.policy_changed"} <= set(
        found
    )

    patterns = {name: re.compile(name.replace(".", r"\.").replace("*", "[a-z_]+")) for name in found}
    missing = {
        name: found[name]
        for name, pattern in patterns.items()
        if not any(pattern.fullmatch(known) for known in event_types)
    }
    assert missing == {}
    # and the table holds nothing that nobody tells
    assert [known for known in event_types if not any(pattern.fullmatch(known) for pattern in patterns.values())] == []


def test_each_schema_is_a_schema():
    assert len(types()) > 90
    for kind in event_types.values():
        Draft202012Validator.check_schema(schema(kind.name))
        assert kind.sentence.endswith(".")
        assert kind.object_types
    with pytest.raises(KeyError):
        schema("job.danced")


def _much_happens(people, platform, now):
    """A little of everything, through the services."""
    room, in_a_day = people.workspace, now + timedelta(days=1)
    account = make_account(room, now, platform="scripted")
    posted = make_schedule(room, [account], now)
    run_due(now)
    platform.script.append(Rejected("no"))
    make_schedule(room, [account], now)
    run_due(now)
    jobs.retry(job=Job.objects.get(state="failed"), actor=ACTOR, now=now)
    daily = make_schedule(
        room, [account], in_a_day, rule_kind="cron", expression="0 9 * * *", timezone="Europe/Berlin", state="active"
    )
    lifecycle.pause(schedule=daily, actor=ACTOR, now=now)
    lifecycle.resume(schedule=daily, actor=ACTOR, now=now)
    jobs.cancel(job=Job.objects.filter(schedule=daily).first(), actor=ACTOR, now=now)
    twin = lifecycle.clone(schedule=daily, actor=ACTOR, now=now)
    approval.submit(schedule=twin, actor=ACTOR, now=now)
    workspaces.set_role(workspace=room, user=people.viewer, role="approver", actor=ACTOR, now=now)
    vera = Actor(kind="user", id=str(people.viewer.pk), label="vera")
    approval.request_changes(schedule=twin, actor=vera, now=now, comment="Shorter, please.")
    lifecycle.archive(schedule=daily, actor=ACTOR, now=now)
    planning.depend(schedule=twin, waits_for=posted, actor=ACTOR, now=now)
    planning.create_milestone(workspace=room, name="Fair", due_on=date(2026, 12, 1), actor=ACTOR, now=now)
    library.save_hashtags(workspace=room, name="Us", hashtags=("one",), actor=ACTOR, now=now)
    library.save_template(workspace=room, name="Words", draft=ContentDraft(text="Hello"), actor=ACTOR, now=now)
    groups.create(workspace=room, name="All", account_ids=[account.public_id], actor=ACTOR, now=now)
    slots.set_slots(account=account, times=[(0, now.time())], actor=ACTOR, now=now)
    accounts.pause(account=account, reason="holidays", actor=ACTOR, now=now)
    workspaces.set_workspace_paused(workspace=room, paused=True, actor=ACTOR, now=now)
    token, _secret = workspaces.create_token(workspace=room, name="n8n", role="author", actor=ACTOR, now=now)
    workspaces.revoke_token(token=token, actor=ACTOR, now=now)
    workspaces.update_person(person=people.author, actor=ACTOR, now=now, first_name="Ben", theme="dark")


@pytest.mark.django_db
def test_real_facts_are_as_their_schemas_say(people, platform, now):
    _much_happens(people, platform, now)

    facts = list(AuditLog.objects.order_by("id"))
    rooms = rooms_of(facts)
    assert len({fact.action for fact in facts}) > 25
    for fact in facts:
        event = payload(fact, rooms)
        assert [
            f"{fact.action}: {error.json_path} {error.message}"
            for error in Draft202012Validator(schema(fact.action, closed=True)).iter_errors(event)
        ] == []
    ids = [payload(fact, rooms)["data"]["id"] for fact in facts]
    assert len(set(ids)) == len(ids)


@pytest.mark.django_db
def test_a_persons_address_and_name_stay_here(people, workspace, now):
    who = Actor(kind="user", id="7", label="ben@example.com")
    workspaces.update_workspace(
        workspace=workspace, name="press@team.example", timezone="Europe/Berlin", actor=who, now=now
    )
    people.author.username = "ben@example.com"
    people.author.save()
    workspaces.set_role(workspace=workspace, user=people.author, role="viewer", actor=who, now=now)
    workspaces.update_person(person=people.author, actor=who, now=now, first_name="Benjamin")

    renamed, role, own = (
        payload(AuditLog.objects.filter(action=name).latest("id"))
        for name in ("workspace.changed", "member.role_set", "person.settings_changed")
    )
    assert renamed["data"]["actor"] == {"kind": "user", "id": "7", "label": HIDDEN}
    # what a team calls itself is nobody's address
    assert renamed["data"]["after"] == {"name": "press@team.example"}
    assert role["data"]["after"] == {"user": HIDDEN, "role": "viewer"}
    assert own["data"]["object"]["label"] == HIDDEN
    assert own["data"]["after"] == {}
