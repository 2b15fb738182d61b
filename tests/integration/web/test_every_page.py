"""Every page, asked by everybody: the answers are in `every_page`. A new address fails here until it has its line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.oauth import services as oauth
from alwrity_scheduler.workspaces import invitations
from alwrity_scheduler.workspaces import services as workspaces
from platforms.services import apps, folders, groups, media
from schedules.inbound import services as hooks
from schedules.models import ContentTemplate, Job, Schedule
from schedules.models.bulk import BulkVerb
from schedules.notifications.models import Notice
from schedules.services import approval, bulk, drafts, library, planning, views
from schedules.services.plans import ContentDraft
from schedules.web import catalogue, icons
from schedules.webhooks import services as webhooks
from tests.conftest import NOW
from tests.integration.apps.flow import register
from tests.integration.web.every_page import LINES, TEAM, Line
from tests.people import ACTOR, make_schedule, make_team

# asked elsewhere, each by a table or a walk of its own
ELSEWHERE = ("admin/", "api/", "hooks/")
BY: dict[str, Any] = {"actor": ACTOR, "now": NOW}


def addresses() -> Iterator[str]:
    """The names of all addresses of pages."""

    def walk(patterns: Any, spaces: tuple[str, ...], before: str) -> Iterator[tuple[str, str]]:
        for one in patterns:
            path = before + str(one.pattern)
            if isinstance(one, URLPattern):
                yield ":".join((*spaces, one.name or "")), path
            else:
                yield from walk(one.url_patterns, (*spaces, one.namespace) if one.namespace else spaces, path)

    for name, path in walk(get_resolver().url_patterns, (), ""):
        # the site's and the library's older addresses without a name lead on to those that have one
        if not path.startswith(ELSEWHERE) and name:
            yield name


def name_of(line: Line) -> str:
    return line.asked.split()[1]


@pytest.fixture
def scenery(team: Any) -> dict[str, Any]:
    """What stands in the addresses and forms: by the name of the thing, its id."""
    room, owner = team.workspace, team.people.owner
    by = {"workspace": room, **BY}
    made = SimpleNamespace(milestone=planning.create_milestone(name="Fair", due_on=NOW.date(), **by))
    made.gone_milestone = planning.create_milestone(name="Gone", due_on=NOW.date(), **by)
    planning.remove_milestone(milestone=made.gone_milestone, **BY)
    made.view = views.save(person=owner, workspace=room, page="jobs", name="Late", query="q=late", now=NOW)
    order = bulk.Order(verb=BulkVerb.PAUSE)
    chosen = Schedule.objects.filter(pk=team.daily.pk)
    made.bulk = bulk.plan(person=owner, workspace=room, chosen=chosen, order=order, now=NOW)
    made.asked = make_schedule(room, [team.account], NOW, state="draft", start_local=NOW.replace(day=29, tzinfo=None))
    writer = Actor(kind="user", id=str(team.people.author.pk), label="ben")
    approval.submit(schedule=made.asked, actor=writer, now=NOW)
    made.link = approval.make_link(schedule=made.asked, label="Client", **BY)
    made.folder = folders.create(name="Autumn", **by)
    made.asset = media.store_upload(file=picture(), name="cup.png", created_by=owner, **by)
    made.kept = drafts.keep(person=owner, workspace=room, data={"title": ["Kept"]}, now=NOW)
    library.save_template(name="Offer", draft=ContentDraft(title="x", text="y"), **by)
    made.template = ContentTemplate.objects.get()
    made.hashtags = library.save_hashtags(name="Cups", hashtags=("#cup",), **by)
    made.client = apps.save(
        platform="mastodon", server="https://social.example", client_id="id", client_secret="s", **by
    )
    made.group = groups.create(name="North", account_ids=[team.account.public_id], **by)
    made.invitation, secret = invitations.invite(email="nia@example.com", role="author", **by)
    made.token, _shown = workspaces.create_token(name="n8n", role="author", **by)
    program = register(room, NOW)
    made.app = program.app
    made.permission = oauth.allow(app=program.app, person=owner, workspace=room, scopes=["jobs:read"], **BY)
    made.hook, _shown = hooks.create(plan=hooks.HookPlan(name="Blog", mapping={"text": {"text": "New"}}), **by)
    plan = webhooks.EndpointPlan(url="https://crm.example.com/hook", event_types=["job.*"])
    made.webhook, _shown = webhooks.create(plan=plan, **by)
    made.delivery = webhooks.test(endpoint=made.webhook, **BY)
    made.job, made.failed = team.jobs[:2]
    Job.objects.filter(pk=made.failed.pk).update(state="failed", attempt_count=1, finished_at=NOW)
    told = {"workspace": room, "user": owner, "object_type": "account", "object_id": str(team.account.public_id)}
    told |= {"first_at": NOW, "last_at": NOW, "words": {"name": "Harbour", "platform": "sandbox", "post": "Hi"}}
    made.notice = Notice.objects.create(kind="sign_in", key="a", **told)
    made.failed_notice = Notice.objects.create(kind="failed", key="b", **told)
    things = {**vars(made), "daily": team.daily, "draft": team.draft, "paused": team.paused, "account": team.account}
    return {
        **{name: str(row.public_id) for name, row in things.items()},
        "content": str(team.daily.content.public_id),
        "room": str(room.public_id),
        "event": f"j{team.jobs[0].pk}",
        "attempt": str(uuid4()),
        "icons": icons.sprite()[1],
        "plotly": script_digest(),
        "words": catalogue.script("en")[1],
        "link_token": approval.token_of(made.link),
        "invitation_link": secret,
        "no_token": "guess",
        "checksum": "0" * 64,
        "rendition": "0" * 16 + ".png",
        "?app": program.query(),
    }


def picture() -> io.BytesIO:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 64), "#6f4e37").save(file, "PNG")
    file.seek(0)
    return file


def script_digest() -> str:
    from schedules.analytics import figures

    return str(figures.script_digest())


@pytest.fixture
def browsers(team: Any, browser_of: Any) -> dict[str, Client]:
    people, others = team.people, make_team(team.people, NOW)
    found = {"owner": people.owner, "manager": others.manager, "approver": others.approver, "author": people.author}
    found |= {"viewer": people.viewer, "reviewer": others.reviewer, "stranger": people.stranger}
    made = {**{name: browser_of(person) for name, person in found.items()}, "nobody": Client()}
    for browser in made.values():
        browser.raise_request_exception = False  # 500 is an answer, too
    return made


def ask(browser: Client, line: Line, things: dict[str, Any]) -> int:
    """The status. Whatever it does is undone."""
    method, name, *given = line.asked.split()
    words = [word for word in given if not word.startswith("?")]
    address = reverse(name, args=[things.get(word, word) for word in words])
    query = {key: value for word in given if word.startswith("?") for key, value in things[word].items()}
    form = {key: str(value).format_map(things) for key, value in line.form.items()}
    cookies = SimpleCookie(browser.cookies.output(header="", sep=";"))
    if not address.startswith("/app/"):
        cache.clear()  # how often the way in was tried
    with transaction.atomic():
        answer: Any = (
            browser.get(address, query) if method == "GET" else browser.post(address, form, query_params=query)
        )
        if answer.streaming:
            answer.getvalue()  # and with it the file is closed
        transaction.set_rollback(True)
    browser.cookies = cookies
    return int(answer.status_code)


def test_every_address_has_its_line() -> None:
    assert {name_of(line) for line in LINES} == set(addresses())


def callers(line: Line, place: int, everyone: bool) -> list[str]:
    """Of a page that the whole team sees, the owner and another of them in turn stand for all, unless everyone is to ask."""
    known = line.answers()
    if everyone or not line.asked.startswith("GET") or {known[name] for name in TEAM.values()} != {200}:
        return list(known)
    others = [name for name in TEAM.values() if name != "owner"]
    left_out = {*others} - {others[place % len(others)]}
    return [name for name in known if name not in left_out]


@pytest.mark.parametrize("everyone", [False, pytest.param(True, marks=pytest.mark.long)])
def test_everybody_gets_the_answer_that_is_known(
    browsers: dict[str, Client], scenery: dict[str, Any], everyone: bool
) -> None:
    wrong = {}
    for place, line in enumerate(LINES):
        known = line.answers()
        got = {who: ask(browsers[who], line, scenery) for who in callers(line, place, everyone)}
        if any(status != known[who] for who, status in got.items()):
            wrong[f"{place} {line.asked} {line.form or ''}"] = " ".join(
                f"{who}:{status}" if status == known[who] else f"{who}:{status}!={known[who]}"
                for who, status in got.items()
            )
    assert not wrong, "\n" + "\n".join(f"{asked}\n    {told}" for asked, told in wrong.items())
