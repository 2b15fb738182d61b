"""Pages change when something happens: one stream for all tabs of a browser, and polling where there is none."""

from __future__ import annotations

import threading

import pytest
from django.urls import reverse

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces import services as workspaces
from schedules.events import hub as hub_module
from schedules.events import stream
from schedules.events.hub import hub
from schedules.models import Job
from tests.people import ACTOR

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv sync --group dev)")
expect = sync_api.expect
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def settle(is_so):
    tick = threading.Event()
    for _ in range(400):
        if is_so():
            return
        tick.wait(0.02)
    raise AssertionError("It did not come to that.")


@pytest.fixture
def streams(settings, monkeypatch):
    settings.STREAM = {"most": 4, "seconds": 900}
    monkeypatch.setattr(hub_module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.1)


def test_two_tabs_share_a_stream_and_show_what_happens(streams, open_browser, team):
    first = open_browser(team.people.owner)
    first.goto(reverse("web:jobs") + "?tab=failed")
    settle(lambda: hub.count == 1)
    second = first.context.new_page()
    second.goto(reverse("web:jobs") + "?tab=failed")
    first.bring_to_front()
    expect(second.locator("#jobs")).not_to_contain_text("No failed job")

    Job.objects.filter(pk=team.jobs[0].pk).update(state="completed")
    workspaces.update_workspace(
        workspace=team.people.workspace, name="News", timezone="UTC", actor=ACTOR, now=clock.now()
    )

    # by polling it would take ten seconds
    for page in (first, second):
        expect(page.locator("#jobs")).to_contain_text("No failed job", timeout=6000)
    assert hub.count == 1
    first.close()
    settle(lambda: hub.count == 1 and len(hub._listeners) == 1)
    Job.objects.filter(pk=team.jobs[0].pk).update(state="failed")
    workspaces.update_workspace(
        workspace=team.people.workspace, name="Team", timezone="UTC", actor=ACTOR, now=clock.now()
    )
    expect(second.locator("#jobs")).not_to_contain_text("No failed job", timeout=6000)
    second.close()
    settle(lambda: hub.count == 0 and hub._thread is None)
