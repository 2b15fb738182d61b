"""The composer: what is typed becomes a schedule; what is refused keeps every word, at its field."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from platforms.models import MediaAsset
from schedules.models import Job, Schedule
from tests.integration.web.conftest import HTMX

NEW = "/app/schedules/new/"


@pytest.fixture
def typed(team):
    return {
        "text": "Lights on the pier",
        "title": "Lights",
        "content_type": "post",
        "accounts": [str(team.account.public_id)],
        "when": "once",
        "date": "2026-12-01",
        "time": "09:00",
        "zone": "Europe/Berlin",
        "action": "schedule",
    }


def test_a_post_at_a_time(author, typed):
    response = author.post(NEW, typed)

    made = Schedule.objects.order_by("-id").first()
    assert response.status_code == 303
    assert response.headers["Location"] == reverse("web:schedule", args=[made.public_id])
    assert (made.state, made.rule_kind, made.timezone, made.start_local.isoformat()) == (
        "active",
        "once",
        "Europe/Berlin",
        "2026-12-01T09:00:00",
    )
    assert made.content.text == "Lights on the pier"


def test_with_htmx_the_browser_itself_goes_on(author, typed):
    response = author.post(NEW, typed, headers=HTMX)

    assert response.status_code == 204
    assert response.headers["HX-Redirect"].startswith("/app/schedules/")


def test_a_draft_publishes_nothing(author, typed):
    author.post(NEW, typed | {"action": "draft"})

    made = Schedule.objects.order_by("-id").first()
    assert made.state == "draft"
    assert not Job.objects.filter(schedule=made).exists()


def test_publish_now_makes_a_job_that_is_due(author, typed, now):
    author.post(NEW, typed | {"action": "publish", "date": "", "time": ""})

    made = Schedule.objects.order_by("-id").first()
    assert Job.objects.get(schedule=made).run_at == now


@pytest.mark.parametrize(
    ("fields", "kind", "expression"),
    [
        ({"repeat": "daily", "interval": "1"}, "rrule", "FREQ=DAILY"),
        ({"repeat": "daily", "interval": "3"}, "rrule", "FREQ=DAILY;INTERVAL=3"),
        ({"repeat": "weekdays"}, "rrule", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ({"repeat": "weekly", "weekdays": ["FR", "MO"]}, "rrule", "FREQ=WEEKLY;BYDAY=MO,FR"),
        ({"repeat": "weekly"}, "rrule", "FREQ=WEEKLY;BYDAY=TU"),  # no day chosen: the start's own, 1 December 2026
        ({"repeat": "monthly_day", "month_day": "-1"}, "rrule", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ({"repeat": "monthly_nth", "nth": "2", "nth_day": "WE"}, "rrule", "FREQ=MONTHLY;BYDAY=2WE"),
        ({"repeat": "cron", "cron": "0 9 * * 1-5"}, "cron", "0 9 * * 1-5"),
        ({"repeat": "rrule", "rrule": "FREQ=YEARLY"}, "rrule", "FREQ=YEARLY"),
    ],
)
def test_words_become_a_rule_and_come_back_as_the_same_words(author, typed, fields, kind, expression):
    author.post(NEW, typed | {"when": "repeat", "ends": "never"} | fields)

    made = Schedule.objects.order_by("-id").first()
    assert (made.rule_kind, made.expression) == (kind, expression)
    body = author.get(reverse("web:schedule_edit", args=[made.public_id])).content.decode()
    assert f'<option value="{fields["repeat"]}" selected>' in body


def test_what_is_refused_stands_at_its_field_and_nothing_typed_is_lost(author, typed):
    response = author.post(
        NEW, typed | {"accounts": [], "link": "no address", "hashtags": "#fine #not-fine"}, headers=HTMX
    )

    body = response.content.decode()
    assert response.status_code == 422
    assert "<html" not in body
    assert "Lights on the pier" in body
    for field in ("accounts", "link", "hashtags"):
        assert f'id="err_{field}"' in body
        assert f'href="#id_{field}"' in body
    assert not Schedule.objects.filter(content__title="Lights").exists()


def test_without_htmx_the_refusal_is_the_whole_page(author, typed):
    response = author.post(NEW, typed | {"date": "2020-01-01"})

    assert response.status_code == 422
    assert b"<html" in response.content
    assert b"This time is past" in response.content


def test_the_same_account_has_its_own_words(author, typed, team):
    author.post(NEW, typed | {f"text-{team.account.public_id}": "Only here", f"offset-{team.account.public_id}": "15"})

    target = Schedule.objects.order_by("-id").first().targets.get()
    assert (target.text, target.title, target.offset_seconds) == ("Only here", None, 900)


def test_an_edit_of_an_old_version_is_refused_with_everything_kept(author, team, typed):
    url = reverse("web:schedule_edit", args=[team.draft.public_id])
    Schedule.objects.filter(pk=team.draft.pk).update(version=7)

    response = author.post(url, typed | {"version": "1"}, headers=HTMX)

    assert response.status_code == 409
    assert b"Somebody changed this schedule" in response.content
    assert b"Lights on the pier" in response.content


def test_an_edit_that_cannot_be_put_to_work_is_not_saved_either(author, team, typed):
    url = reverse("web:schedule_edit", args=[team.draft.public_id])

    response = author.post(url, typed | {"version": str(team.draft.version), "date": "2020-01-01"})

    team.draft.content.refresh_from_db()
    assert response.status_code == 422
    assert team.draft.content.text == "Not yet"


def test_this_and_following_makes_a_second_schedule(author, team, typed):
    url = reverse("web:schedule_split", args=[team.daily.public_id]) + "?from=2026-11-25T18:00"
    fields = {
        "when": "repeat",
        "repeat": "daily",
        "interval": "1",
        "date": "2026-11-25",
        "time": "19:00",
        "from": "2026-11-25T18:00:00",
    }

    response = author.post(url, typed | fields | {"version": str(team.daily.version)})

    twin = Schedule.objects.get(split_from=team.daily)
    assert response.status_code == 303
    assert twin.start_local.isoformat() == "2026-11-25T19:00:00"
    assert twin.content.text == "Lights on the pier"


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def test_a_file_comes_with_the_form_where_there_is_no_script(author, typed):
    upload = SimpleUploadedFile("lamp.png", PIXEL, "image/png")

    response = author.post(NEW, typed | {"action": "upload", "upload": upload, "upload_alt": "A lamp"})

    asset = MediaAsset.objects.get()
    assert response.status_code == 200
    assert asset.alt_text == "A lamp"
    assert f'value="{asset.public_id}" checked' in response.content.decode()
    assert b"Lights on the pier" in response.content


def test_an_upload_with_htmx_gives_the_picker_back_with_it_chosen(author, team):
    response = author.post(reverse("web:media_upload"), {"upload": SimpleUploadedFile("lamp.png", PIXEL)}, headers=HTMX)

    assert response.status_code == 200
    assert f'value="{MediaAsset.objects.get().public_id}" checked' in response.content.decode()


def test_a_file_of_no_known_kind_is_refused_in_words(author, team):
    response = author.post(
        reverse("web:media_upload"), {"upload": SimpleUploadedFile("x.exe", b"MZ....")}, headers=HTMX
    )

    assert response.status_code == 422
    assert b'id="err_upload"' in response.content


RUNS = "/app/preview-runs/"


def test_the_next_five_runs_show_the_zone_and_its_offset(author, typed):
    body = author.post(RUNS, typed | {"when": "repeat", "repeat": "daily"}).content.decode()

    assert body.count("<li>") == 5
    assert "Tue 1 Dec, 09:00 CET (UTC+01:00)" in body


def test_a_time_the_clocks_skip_is_explained(author, typed):
    body = author.post(RUNS, typed | {"date": "2027-03-28", "time": "02:30"}).content.decode()

    assert "02:30 does not exist on 28 March in Europe/Berlin" in body
    assert "It will go out at 03:30" in body


def test_a_time_that_comes_twice_is_offered_twice(author, typed):
    wanted = typed | {"date": "2027-10-31", "time": "02:30"}

    first = author.post(RUNS, wanted).content.decode()
    second = author.post(RUNS, wanted | {"fold": "1"}).content.decode()

    assert first.count('name="fold"') == 2
    assert "<li><span><time" in second
    assert "02:30 CET (UTC+01:00)" in second.partition("<ol")[2]
    assert "02:30 CEST (UTC+02:00)" in first.partition("<ol")[2]


def test_a_rule_that_cannot_be_read_says_so(author, typed):
    body = author.post(RUNS, typed | {"when": "repeat", "repeat": "cron", "cron": "61 9 * *"}).content.decode()

    assert "write five" in body


def test_the_post_is_shown_as_each_account_gets_it(author, typed, team):
    body = author.post("/app/preview-post/", typed | {"text": "x" * 5001}).content.decode()

    assert "5,001 of 5,000 characters" in body
    assert "Shorten it by 1 character." in body
