"""The composer in a browser: three platforms' problems seen at their fields, put right, and the post out in the feed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from alwrity_scheduler.core import clock
from platforms.adapters.sandbox.models import SandboxPost
from platforms.registry import adapters
from schedules.models import ComposerDraft, Job, Schedule
from tests.browser.test_access_for_all import axe_source
from tests.engine import run_due
from tests.integration.web.test_composer import PIXEL
from tests.people import make_account
from tests.small_networks import Pictures, Short

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LONG = "The lighthouse is open again: three floors, a lamp of 1898 and tea at the top."


@pytest.fixture
def networks(team, monkeypatch):
    monkeypatch.setattr(adapters, "_entries", {**adapters._entries, "short": Short(), "pictures": Pictures()})
    now = clock.now()
    return [make_account(team.people.workspace, now, name=key.title(), platform=key) for key in ("short", "pictures")]


@pytest.fixture
def barriers(console):
    source = axe_source()

    def look(page):
        page.wait_for_timeout(30)
        console.listening = False
        page.evaluate(source)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        page.wait_for_timeout(30)
        console.listening = True
        return [(item["id"], [node["html"][:160] for node in item["nodes"]][:3]) for item in found]

    return look


def pick(page, *names):
    for name in names:
        page.get_by_role("checkbox", name=re.compile(name)).first.check()


def test_a_post_with_an_image_for_three_platforms(open_browser, team, networks, barriers):
    page = open_browser(team.people.author)
    page.goto(reverse("web:schedule_new"))
    pick(page, "Harbour", "Short", "Pictures")
    page.fill("#id_text", LONG)

    # each problem is seen at its field
    expect(page.locator("#live-text")).to_contain_text(f"Shorten it by {len(LONG) - 60} characters")
    expect(page.locator("#live-media")).to_contain_text("A post here needs a picture")
    expect(page.locator("#meters")).to_contain_text(f"Short: {len(LONG)} of 60")
    expect(page.locator("#standing")).to_contain_text("3 things to put right")
    expect(page.locator("#tab-mark-short")).to_contain_text("1")
    assert barriers(page) == []

    # scheduling is refused there too, and the summary leads into the closed tab
    page.click("button[value=schedule]")
    expect(page.locator("[data-problems]")).to_be_focused()
    page.locator("[data-problems] a", has_text="Topic").click()
    expect(page.locator("[id='id_option-short-topic']")).to_be_focused()
    page.keyboard.type("Harbour")
    expect(page.locator("#tab-mark-short")).to_have_text("")
    page.get_by_role("checkbox", name=re.compile("^Text")).and_(page.locator("[data-platform=short]")).check()
    own = page.locator("[id='id_variant-short-text']")
    expect(own).to_have_value(LONG)
    own.fill("The lighthouse is open again.")
    expect(page.locator("#live-text")).to_be_empty()
    assert barriers(page) == []

    # the picture, and its words for those who do not see it
    page.set_input_files("#id_upload", {"name": "lamp.png", "mimeType": "image/png", "buffer": PIXEL})
    page.get_by_role("button", name="Add file", exact=True).click()
    page.locator("textarea[name^=alt-]").fill("A lighthouse in the evening")
    expect(page.locator("#live-media")).to_be_empty()
    expect(page.locator("#standing")).to_contain_text("Ready for 3 accounts")

    tomorrow = datetime.now() + timedelta(days=1)
    page.fill("#id_date", f"{tomorrow:%Y-%m-%d}")
    page.fill("#id_time", "09:00")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/schedules/[0-9a-f-]{36}/$"))

    made = Schedule.objects.order_by("-id").first()
    run_due(max(Job.objects.filter(schedule=made).values_list("run_at", flat=True)))
    assert set(Job.objects.filter(schedule=made).values_list("state", flat=True)) == {"completed"}
    page.goto(reverse("sandbox:feed", args=[team.account.handle]))
    post = page.locator("article.post").filter(has_text=LONG)
    expect(post.get_by_role("img", name="A lighthouse in the evening")).to_be_visible()
    assert SandboxPost.objects.get(account=networks[0]).text == "The lighthouse is open again."
    assert SandboxPost.objects.get(account=networks[1]).media[0]["alt"] == "A lighthouse in the evening"


def test_what_is_typed_keeps_itself_and_is_there_when_one_comes_back(open_browser, team, barriers):
    page = open_browser(team.people.author, width=390, dark=True)
    page.goto(reverse("web:schedule_new"))
    pick(page, "Harbour")
    page.fill("#id_text", "Half a thought")
    expect(page.locator("#kept")).to_contain_text("Saved")
    page.click("[data-open=emoji]")
    page.fill("#emoji-q", "rocket")
    page.locator("#emoji-list [data-emoji='🚀']").click()
    expect(page.locator("#id_text")).to_have_value("Half a thought🚀")
    expect(page.locator("[name=draft_version]")).to_have_value("2")

    page.goto(reverse("web:schedule_new"))  # nobody asks: it is stored
    page.locator("#resume a").first.click()
    expect(page.locator("#id_text")).to_have_value("Half a thought🚀")
    expect(page.get_by_role("checkbox", name=re.compile("Harbour")).first).to_be_checked()
    assert barriers(page) == []
    page.goto(reverse("web:drafts"))
    page.get_by_role("button", name="Discard").click()
    page.locator("#toasts [data-undo]").click()
    expect(page.locator("#drafts")).to_contain_text("Half a thought")
    assert ComposerDraft.objects.get().discarded_at is None
