"""Would this publish now? Each thing that would hold a post back is seen before it does, and nothing is taken by asking."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from alwrity_scheduler.workspaces import services as workspaces
from platforms.models import CircuitState, PlatformAccount, RateWindow
from platforms.problems import error
from platforms.services import admission, media
from schedules.reads.preflight import check_content, of_draft, of_schedule
from schedules.services import control, lifecycle
from schedules.services.plans import ContentDraft, TargetPlan, VariantDraft
from tests.people import ACTOR, make_account, make_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def schedule(workspace, account, after):
    return make_schedule(workspace, [account], after(hours=1))


@pytest.fixture
def looked(schedule, account, now):
    """What the preflight says when the account is so: (verdict, codes of what is not fine)."""

    def look(**values):
        PlatformAccount.objects.filter(pk=account.pk).update(**values)
        found = of_schedule(schedule, now=now)
        return found.rows[0].verdict, [item.code for item in found.rows[0].troubles]

    return look


def test_nothing_speaks_against_it(schedule, now):
    found = of_schedule(schedule, now=now)

    (row,) = found.rows
    assert (row.verdict, row.troubles, found.would_publish_count) == ("ok", [], 1)
    assert {item.aspect for item in row.findings} == {"account", "sign_in", "platform", "limits", "content"}
    assert [item.code for item in found.general] == ["no_scheduler"]
    assert (row.count.used, row.count.limit) == (5, 1000)


@pytest.mark.parametrize("state", ["paused", "needs_auth", "disconnected"])
def test_only_an_active_account_publishes(looked, state):
    assert looked(state=state) == ("blocked", [state])


def test_a_sign_in_that_ran_out_or_runs_out(looked, now):
    past, soon = now - timedelta(hours=1), now + timedelta(days=2)
    assert looked(credentials_expire_at=past, refresh_state="failing") == ("blocked", ["signed_out"])
    assert looked(credentials_expire_at=past, refresh_state="") == ("blocked", ["signed_out"])
    assert looked(credentials_expire_at=soon, refresh_state="failing") == ("warning", ["signs_out_soon"])
    assert looked(credentials_expire_at=soon, refresh_state="ok") == ("ok", [])
    assert looked(credentials_expire_at=now + timedelta(days=9), refresh_state="") == ("ok", [])


def test_what_holds_it_back_says_until_when(looked, schedule, account, now):
    later = now + timedelta(minutes=10)
    assert looked(not_before_at=later) == ("blocked", ["limit"])
    (trouble,) = of_schedule(schedule, now=now).rows[0].troubles
    assert (trouble.next_at, trouble.remedy) == (later, "It would go out at 09:10 CET at the earliest.")
    assert looked(not_before_at=None, min_spacing_seconds=60, next_slot_at=later) == ("blocked", ["limit"])
    assert looked(min_spacing_seconds=0) == ("ok", [])


def test_a_budget_is_looked_at_and_not_spent(looked, account, now):
    PlatformAccount.objects.filter(pk=account.pk).update(daily_cap=1)
    account.refresh_from_db()
    assert looked() == ("ok", [])
    assert looked() == ("ok", [])
    assert not RateWindow.objects.exists()
    assert admission.admit([account], now)[account.pk].allowed
    assert looked() == ("blocked", ["limit"])


def test_a_platform_that_does_not_answer(looked, account, now):
    CircuitState.objects.create(
        account=account,
        state="open",
        failures=5,
        opened_at=now,
        retry_at=now + timedelta(minutes=5),
        last_error="HTTP 503",
    )
    assert looked() == ("blocked", ["outage"])


def test_what_concerns_every_account(schedule, workspace, now):
    control.pause_everything(actor=ACTOR, now=now)
    workspaces.set_workspace_paused(workspace=workspace, paused=True, actor=ACTOR, now=now)
    lifecycle.pause(schedule=schedule, actor=ACTOR, now=now)

    found = of_schedule(schedule, now=now)

    assert {item.code for item in found.general} >= {"everything_paused", "workspace_paused", "paused"}
    assert (found.verdict, found.would_publish_count) == ("blocked", 0)


def test_content_is_checked_as_the_account_gets_it(workspace, account, now, platform):
    platform.check = lambda content, account: [error("own", "link", f"No {content.title} here.", "Leave it out.")]
    draft = ContentDraft(title="News", text="x" * 1001, variants=(VariantDraft(platform="scripted", title="Variant"),))
    target = TargetPlan(account_id=str(account.public_id))

    (checked,) = check_content(workspace, draft, [target], now=now).results
    found = of_draft(workspace, draft, [replace(target, text="Short")], now=now)

    assert [(item.code, item.field) for item in checked.problems] == [("text_too_long", "text"), ("own", "link")]
    assert checked.count.words == "1,001 of 1,000"
    (row,) = found.rows
    assert [(item.code, item.words) for item in row.troubles] == [("own", "No Variant here.")]
    assert row.verdict == "blocked"


def test_an_account_that_cannot_be_read_or_asked(workspace, now, settings):
    lost = make_account(workspace, now, name="Lost")
    PlatformAccount.objects.filter(pk=lost.pk).update(platform="gone")
    draft = ContentDraft(text="Hi")

    (row,) = of_draft(workspace, draft, [TargetPlan(account_id=str(lost.public_id))], now=now).rows

    assert (row.verdict, row.count) == ("blocked", None)
    assert [item.code for item in row.troubles] == ["unreadable"]


def test_what_could_not_be_stored_is_told(workspace, account, now):
    draft = ContentDraft(text="Hi", hashtags=("no good",), media_ids=("0193b3a4-0000-7000-8000-000000000000",))
    targets = [TargetPlan(account_id=str(account.public_id))]

    checked, found = check_content(workspace, draft, targets, now=now), of_draft(workspace, draft, targets, now=now)

    assert [item.field for item in checked.problems] == ["media", "hashtags"]
    assert [item.field for item in found.general if item.verdict == "blocked"] == ["media", "hashtags"]
    assert found.would_publish_count == 0


def test_nobody_to_publish_to(workspace, now):
    found = of_draft(workspace, ContentDraft(text="Hi"), [], now=now)
    assert (found.verdict, [item.code for item in found.general][-1]) == ("blocked", "no_account")


def test_files_that_are_gone_are_missed(workspace, account, now, png):
    draft = ContentDraft(text="Hi", media_ids=(str(png.public_id),))
    target = TargetPlan(account_id=str(account.public_id))
    there = of_draft(workspace, draft, [target], now=now).rows[0]
    png.file.storage.delete(png.file.name)
    gone = of_draft(workspace, draft, [target], now=now).rows[0]

    assert [item.verdict for item in there.findings if item.aspect == "files"] == ["ok"]
    assert [item.code for item in gone.troubles if item.aspect == "files"] == ["file_gone"]


@pytest.fixture
def png(workspace, now, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    content = io.BytesIO()
    Image.new("RGB", (20, 10)).save(content, "PNG")
    file = SimpleUploadedFile("a.png", content.getvalue())
    return media.store_upload(workspace=workspace, file=file, name="a.png", actor=ACTOR, now=now)


def test_ten_accounts_cost_as_many_queries_as_one(workspace, after, now, django_assert_num_queries, platform):
    accounts = [
        make_account(workspace, now, name=f"N{number}", platform="scripted", daily_cap=5) for number in range(10)
    ]
    one, ten = (
        make_schedule(workspace, accounts[:1], after(hours=1)),
        make_schedule(workspace, accounts, after(hours=1)),
    )
    for schedule in (one, ten):
        with django_assert_num_queries(9):
            of_schedule(schedule, now=now)
