"""A real Chromium against a live server on a database file, watched for console errors and policy violations."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings

from schedules.services import lifecycle
from tests.conftest import CHROMIUM
from tests.people import ACTOR, make_account, make_people, make_schedule

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv sync --group dev)")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Playwright's screenshots add a <style>; ours never do (UX pitfall 20). Refused forms answer 422, which Chromium logs.
# A preview that is under way when its page is left is aborted, and htmx says so.
HARMLESS = (
    "htmx:sendAbort",
    "htmx:afterRequest, [object HTMLDivElement]",
    "htmx:afterRequest, [object HTMLFieldSetElement]",
    "htmx:afterRequest, [object HTMLElement]",
    "the server responded with a status of 422",
    "the server responded with a status of 404",
    "the server responded with a status of 409",
)


@pytest.fixture(scope="session")
def chromium():
    # the sync API keeps an event loop in this thread, which Django takes for asynchronous code
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True, scope="session")
def _static_folder():
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _no_stream(settings):
    """A page that changes whenever something happens cannot be looked at step by step; `test_stream` has it on."""
    settings.STREAM = {"most": 0, "seconds": 900}


@pytest.fixture
def team(transactional_db):
    """The team of today: the browser's own clock is real, so the product's is too."""
    from alwrity_scheduler.core import clock
    from schedules.models import Attempt, Job

    now = clock.now()
    people = make_people(now)
    account = make_account(people.workspace, now, name="Harbour")
    second = make_account(people.workspace, now, name="Newsroom")
    start = now.replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)
    daily = make_schedule(
        people.workspace,
        [account, second],
        now,
        text="Good morning, harbour",
        rule_kind="rrule",
        expression="FREQ=DAILY",
        timezone="Europe/Berlin",
        start_local=start,
    )
    draft = make_schedule(
        people.workspace,
        [account],
        now,
        text="Not yet",
        state="draft",
        rule_kind="rrule",
        expression="FREQ=WEEKLY;BYDAY=MO",
        start_local=start,
    )
    paused = make_schedule(
        people.workspace,
        [account],
        now,
        text="Later",
        rule_kind="cron",
        expression="0 12 * * 1-5",
        timezone="Europe/Berlin",
        start_local=start,
    )
    lifecycle.pause(schedule=paused, actor=ACTOR, now=now)
    jobs = list(Job.objects.filter(schedule=daily).order_by("run_at", "id"))
    for job, state in zip(jobs, ("failed", "unconfirmed", "completed"), strict=False):
        Job.objects.filter(pk=job.pk).update(
            state=state,
            attempt_count=1,
            error_message="The platform refused the post.",
            finished_at=now,
            remote_id=f"p{job.pk}",
            remote_url=f"https://example.com/{job.pk}" if state == "completed" else "",
        )
        Attempt.objects.create(
            job=job,
            no=1,
            idempotency_key="k",
            worker="w",
            started_at=now,
            finished_at=now,
            outcome="rejected",
            status_code=422,
            message="The platform refused the post.",
            request={"text": "Good morning"},
            response={"error": "no"},
        )
    return SimpleNamespace(people=people, account=account, daily=daily, draft=draft, paused=paused, jobs=jobs)


@pytest.fixture
def console():
    """Whether the console is being listened to: not while axe runs, which writes styles of its own."""
    return SimpleNamespace(listening=True)


@pytest.fixture
def open_browser(chromium, live_server, team, console):
    """`open_browser(person, width=…, dark=…)`: a signed-in page. Whatever the console complained of fails the test."""
    from django.test import Client

    contexts, complaints = [], []

    def hear(page, words):
        if console.listening:
            complaints.append(f"{page.url}: {words}")

    def make(person=None, *, width=1440, height=900, dark=False, script=True):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            base_url=live_server.url,
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        contexts.append(context)
        if person is not None:
            client = Client()
            client.force_login(person)
            context.add_cookies(
                [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            )
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("console", lambda message: hear(page, message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: hear(page, error))
        return page

    yield make
    for context in contexts:
        context.close()
    assert [text for text in complaints if not any(known in text for known in HARMLESS)] == []
