"""The composer's parts: platforms' own words and fields, problems at their fields, drafts, templates, versions, the queue."""

from __future__ import annotations

import re
from datetime import time, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse

from alwrity_scheduler.core import http
from platforms.registry import adapters
from schedules.models import (
    AuditLog,
    ComposerDraft,
    ContentItem,
    ContentTemplate,
    ContentVersion,
    HashtagGroup,
    Job,
    PostingSlot,
    Schedule,
)
from schedules.services import link_cards, slots
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import ACTOR, make_account, make_schedule
from tests.small_networks import Pictures, Short

NEW = "/app/schedules/new/"
PREVIEW = "/app/preview-post/"
KEEP = "/app/drafts/keep/"


@pytest.fixture
def networks(team, monkeypatch):
    """The team's workspace with an account on Short and one on Pictures."""
    monkeypatch.setattr(adapters, "_entries", {**adapters._entries, "short": Short(), "pictures": Pictures()})
    return {key: make_account(team.workspace, NOW, name=key.title(), platform=key) for key in ("short", "pictures")}


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


def part(body: str, ident: str) -> str:
    """The inner HTML of the (flat) element of that id, roughly: up to the next element with an id."""
    return body.partition(f'id="{ident}"')[2].partition(' id="')[0]


# -- platforms' own words and fields


def test_a_platforms_own_words_and_options_are_stored_and_shown_again(author, typed, networks):
    wanted = typed | {
        "accounts": [str(networks["short"].public_id)],
        "own-short-text": "on",
        "variant-short-text": "Lights!",
        "own-short-hashtags": "on",
        "variant-short-hashtags": "",
        "variant-short-title": "typed but switched off",
        "hashtags": "#pier",
        "option-short-topic": "Harbour",
        "option-short-quiet": "on",
        "option-short-weight": "3",
    }
    author.post(NEW, wanted)

    made = Schedule.objects.order_by("-id").first()
    variant = made.content.variants.get()
    assert (variant.platform, variant.text, variant.title, variant.hashtags) == ("short", "Lights!", None, [])
    assert variant.options == {"topic": "Harbour", "quiet": True, "weight": 3}
    body = author.get(reverse("web:schedule_edit", args=[made.public_id])).content.decode()
    assert re.search(r'name="own-short-text" id="[^"]+" checked', body)
    assert not re.search(r'name="own-short-title" id="[^"]+" checked', body)
    assert "Lights!</textarea>" in body
    assert 'value="Harbour"' in body


def test_what_is_the_same_everywhere_stores_no_variant(author, typed, networks):
    author.post(NEW, typed | {"option-short-topic": "", "own-sandbox-text": ""})

    assert not Schedule.objects.order_by("-id").first().content.variants.exists()


def test_a_variant_of_a_platform_without_an_account_here_is_kept(author, typed, team):
    team.draft.content.variants.create(platform="elsewhere", text="Only there", options={"deep": {"er": 1}})

    author.post(
        reverse("web:schedule_edit", args=[team.draft.public_id]),
        typed | {"version": str(team.draft.version), "action": "draft"},
    )

    kept = team.draft.content.variants.get()
    assert (kept.platform, kept.text, kept.options) == ("elsewhere", "Only there", {"deep": {"er": 1}})


# -- counts and problems


def test_each_problem_stands_at_its_field_and_the_counts_are_each_platforms_own(author, typed, networks, team):
    chosen = [str(team.account.public_id), *(str(row.public_id) for row in networks.values())]
    body = author.post(PREVIEW, typed | {"accounts": chosen, "text": "x" * 61}, headers=HTMX).content.decode()

    assert "61 of 60" in part(body, "meters")
    assert "61 of 5,000" in part(body, "meters")
    assert "Shorten it by 1 character" in part(body, "live-text")
    assert "Short wants a topic. Name one." in part(body, "live-option-short-topic")
    assert "A post here needs a picture. Add one." in part(body, "live-media")
    assert "3 things to put right" in part(body, "standing")
    assert ">1<" in part(body, "tab-mark-short")


def test_a_problem_of_a_platforms_own_text_stands_in_its_tab(author, typed, networks):
    wanted = typed | {
        "accounts": [str(networks["short"].public_id)],
        "own-short-text": "on",
        "variant-short-text": "y" * 70,
        "option-short-topic": "Harbour",
    }
    body = author.post(PREVIEW, wanted).content.decode()

    assert "Shorten it by 10 characters" in part(body, "live-variant-short-text")
    assert "Shorten" not in part(body, "live-text")


def test_scheduling_refuses_what_a_platform_would_at_that_very_field(author, typed, networks):
    response = author.post(NEW, typed | {"accounts": [str(networks["short"].public_id)]})

    body = response.content.decode()
    assert response.status_code == 422
    assert 'id="err_option-short-topic"' in body
    assert 'href="#id_option-short-topic"' in body
    assert "Lights on the pier" in body


def test_a_post_that_was_put_right_is_ready(author, typed, networks):
    wanted = typed | {"accounts": [str(networks["short"].public_id)], "option-short-topic": "Harbour"}

    assert "Ready for 1 account" in part(author.post(PREVIEW, wanted).content.decode(), "standing")


def test_a_thread_is_shown_in_its_parts(author, typed, networks):
    wanted = typed | {
        "accounts": [str(networks["short"].public_id)],
        "content_type": "thread",
        "text": "One.\n---\nTwo.\n---\nThree.",
    }
    body = author.post(PREVIEW, wanted).content.decode()

    assert [f'part-no">{n}/3' in body for n in (1, 2, 3)] == [True, True, True]
    assert "One. 1/3" not in body
    numbered = author.post(PREVIEW, wanted | {"option-short-number_parts": "on"}).content.decode()
    assert "One. 1/3" in numbered
    assert "Three. 3/3" in numbered


def test_a_post_that_was_made_lately_is_warned_of_with_the_way_to_it(author, typed, team):
    text = "The lighthouse is open to visitors from Monday on"
    twin = make_schedule(team.workspace, [team.account], NOW, text=text)
    near = author.post(PREVIEW, typed | {"text": text.replace("Monday", "Tuesday")}).content.decode()
    same = author.post(PREVIEW, typed | {"text": text.upper()}).content.decode()
    other = author.post(PREVIEW, typed | {"text": "Something else altogether, about boats"}).content.decode()

    assert "Nearly the same was posted" in part(near, "twins")
    assert "The same text was posted" in part(same, "twins")
    assert reverse("web:schedule", args=[twin.public_id]) in part(same, "twins")
    assert "posted here lately" not in other


def test_the_preflight_answers_for_what_is_typed_with_and_without_script(author, typed, networks, team):
    wanted = typed | {"accounts": [str(team.account.public_id), str(networks["short"].public_id)]}
    part_of_it = author.post("/app/preview-preflight/", wanted, headers=HTMX).content.decode()
    page = author.post(NEW, wanted | {"action": "preflight"}).content.decode()

    for body in (part_of_it, page):
        assert "Short wants a topic. Name one." in part(body, "preflight-now")
    assert "<html" not in part_of_it
    assert "Lights on the pier</textarea>" in page


# -- UTM


def test_utm_fields_are_put_on_the_links_of_the_preview_and_of_the_post(author, typed, team):
    wanted = typed | {
        "text": "See https://a.example/x",
        "utm_source": "{platform}",
        "utm_campaign": "{campaign}",
        "campaign": "Autumn",
    }
    body = author.post(PREVIEW, wanted).content.decode()
    author.post(NEW, wanted)

    assert "https://a.example/x?utm_source=sandbox&amp;utm_campaign=Autumn" in body
    assert Schedule.objects.order_by("-id").first().content.utm == {"source": "{platform}", "campaign": "{campaign}"}


# -- drafts


def test_what_is_typed_is_kept_whatever_is_wrong_in_it_and_comes_back_to_the_letter(author, typed):
    half = typed | {"text": "Half a th\u200dought ", "link": "no address", "date": "soon", "weekdays": ["MO", "FR"]}
    body = author.post(KEEP, half, headers=HTMX).content.decode()

    draft = ComposerDraft.objects.get()
    assert f'data-draft="{draft.public_id}"' in body
    assert "Saved 09:00" in body  # 08:00 UTC in the person's zone
    page = author.get(f"{NEW}?draft={draft.public_id}").content.decode()
    assert "Half a th\u200dought </textarea>" in page
    assert 'value="no address"' in page
    assert 'value="soon"' in page
    assert f'name="draft" value="{draft.public_id}"' in page


def test_two_windows_are_told_of_each_other_and_either_can_win(author, typed):
    author.post(KEEP, typed)
    ident = {"draft": str(ComposerDraft.objects.get().public_id)}
    first = author.post(KEEP, typed | ident | {"draft_version": "1", "text": "First"})
    second = author.post(KEEP, typed | ident | {"draft_version": "1", "text": "Second"})
    kept = ComposerDraft.objects.get().data["text"]
    forced = author.post(KEEP, typed | ident | {"draft_version": "1", "text": "Second", "force": "1"})

    assert (first.status_code, second.status_code, forced.status_code) == (200, 409, 200)
    assert "changed in another window" in second.content.decode()
    assert kept == ["First"]
    assert ComposerDraft.objects.get().data["text"] == ["Second"]


def test_a_draft_goes_when_its_post_is_saved_and_not_before(author, typed):
    author.post(KEEP, typed)
    ident = {"draft": str(ComposerDraft.objects.get().public_id)}
    author.post(NEW, typed | ident | {"accounts": []})
    assert ComposerDraft.objects.exists()
    author.post(NEW, typed | ident)

    assert not ComposerDraft.objects.exists()


def test_nobody_else_sees_a_draft(author, owner, typed, viewer):
    author.post(KEEP, typed)
    draft = ComposerDraft.objects.get()

    assert "Lights on the pier" not in owner.get(f"{NEW}?draft={draft.public_id}").content.decode()
    assert owner.post(reverse("web:draft_discard", args=[draft.public_id])).status_code == 404
    assert owner.post(KEEP, typed | {"draft": str(draft.public_id), "draft_version": "1"}).status_code == 200
    assert ComposerDraft.objects.filter(person__username="ben").get().version == 1
    assert viewer.post(KEEP, typed).status_code == 403


def test_a_draft_is_put_aside_and_taken_back(author, typed):
    author.post(KEEP, typed)
    draft = ComposerDraft.objects.get()
    listed = reverse("web:drafts")

    author.post(reverse("web:draft_discard", args=[draft.public_id]))
    assert draft.title not in author.get(listed, headers=HTMX).content.decode()
    author.post(reverse("web:draft_take_back", args=[draft.public_id]))
    assert "Lights" in author.get(listed, headers=HTMX).content.decode()


def test_changes_of_a_schedule_are_offered_where_it_is_edited(author, typed, team):
    url = reverse("web:schedule_edit", args=[team.draft.public_id])
    author.post(KEEP, typed | {"editing": str(team.draft.public_id), "text": "Better words"})

    body = author.get(url).content.decode()
    assert "changes here that are not saved" in body
    draft = ComposerDraft.objects.get()
    assert "Better words</textarea>" in author.get(f"{url}?draft={draft.public_id}").content.decode()


def test_a_switch_that_was_turned_off_in_a_draft_stays_off(author, typed, networks):
    own = {
        "own-short-text": "on",
        "variant-short-text": "Lights!",
        "option-short-topic": "Harbour",
        "option-short-quiet": "on",
    }
    author.post(NEW, typed | own | {"accounts": [str(networks["short"].public_id)], "action": "draft"})
    made = Schedule.objects.order_by("-id").first()
    url = reverse("web:schedule_edit", args=[made.public_id])
    typed_now = typed | {"variant-short-text": "Lights!", "option-short-topic": "Pier"}
    author.post(KEEP, typed_now | {"editing": str(made.public_id), "version": str(made.version)})

    page = author.get(f"{url}?draft={ComposerDraft.objects.get().public_id}").content.decode()
    assert not re.search(r'name="own-short-text" id="[^"]+" checked', page)
    assert not re.search(r'name="option-short-quiet"[^>]* checked', page)
    assert 'value="Pier"' in page


# -- templates and hashtags


def test_a_template_is_saved_and_another_post_starts_from_it(author, typed, team):
    response = author.post(NEW, typed | {"action": "template", "save_as": "Pier", "hashtags": "#pier"}, headers=HTMX)
    row = ContentTemplate.objects.get()
    assert response.status_code == 200
    assert AuditLog.objects.filter(action="template.created").exists()

    page = author.get(f"{NEW}?template={row.public_id}").content.decode()
    assert "Lights on the pier</textarea>" in page
    put_in = author.post(
        NEW, {"action": "use_template", "use_template": str(row.public_id), "text": "My own", "title": "Mine"}
    ).content.decode()
    assert "My own\n\nLights on the pier</textarea>" in put_in
    assert 'value="Mine"' in put_in
    assert 'value="#pier"' in put_in
    assert not Schedule.objects.filter(content__title="Mine").exists()


def test_a_template_wants_a_name_of_its_own(author, typed):
    nameless = author.post(NEW, typed | {"action": "template"})
    author.post(NEW, typed | {"action": "template", "save_as": "Pier"})
    again = author.post(NEW, typed | {"action": "template", "save_as": "Pier"})

    assert (nameless.status_code, again.status_code) == (422, 422)
    assert 'id="err_save_as"' in nameless.content.decode()
    assert "There is a template of this name already" in again.content.decode()
    assert "Lights on the pier" in again.content.decode()


def test_hashtag_groups_are_made_changed_put_in_and_deleted(author, typed):
    url = reverse("web:library")
    refused = author.post(url, {"new-name": "Coffee", "new-hashtags": "#no-good"})
    author.post(url, {"new-name": "Coffee", "new-hashtags": "#coffee #roast"})
    group = HashtagGroup.objects.get()
    assert refused.status_code == 422
    assert group.hashtags == ["coffee", "roast"]

    author.post(
        reverse("web:hashtags_change", args=[group.public_id]), {"name": "Beans", "hashtags": "#coffee #roast #bean"}
    )
    page = author.post(
        NEW, typed | {"action": "use_hashtags", "use_hashtags": str(group.public_id), "hashtags": "#Roast"}
    ).content.decode()
    assert 'value="#Roast #coffee #bean"' in page
    author.post(reverse("web:hashtags_delete", args=[group.public_id]))
    assert not HashtagGroup.objects.exists()


def test_a_stranger_finds_no_template_and_a_viewer_changes_none(author, viewer, stranger, typed):
    author.post(NEW, typed | {"action": "template", "save_as": "Pier"})
    url = reverse("web:template_delete", args=[ContentTemplate.objects.get().public_id])

    assert stranger.post(url).status_code == 404
    assert viewer.post(url).status_code == 403
    assert url not in viewer.get(reverse("web:library")).content.decode()


# -- versions


def test_every_edit_is_a_version_with_its_words_marked_and_each_can_come_back(author, typed, team):
    author.post(NEW, typed | {"action": "draft"})
    made = Schedule.objects.order_by("-id").first()
    url = reverse("web:schedule_edit", args=[made.public_id])
    author.post(url, typed | {"action": "draft", "version": str(made.version), "text": "Lights off the pier"})
    content = ContentItem.objects.get(pk=made.content_id)
    assert list(ContentVersion.objects.filter(content=content).values_list("number", "author")) == [
        (1, "ben"),
        (2, "ben"),
    ]

    page = author.get(reverse("web:content_versions", args=[content.public_id])).content.decode()
    assert re.search(r"<del>.*on.*</del><ins>.*off.*</ins>", page)
    author.post(reverse("web:version_restore", args=[content.public_id, 1]), {"version": "2"})
    content.refresh_from_db()
    assert (content.text, content.version) == ("Lights on the pier", 3)
    stale = author.post(reverse("web:version_restore", args=[content.public_id, 2]), {"version": "2"}, follow=True)
    assert b"Somebody changed this content" in stale.content


def test_the_words_from_before_versions_were_kept_are_the_first_version(author, typed, team):
    ContentVersion.objects.all().delete()
    author.post(
        reverse("web:schedule_edit", args=[team.draft.public_id]),
        typed | {"version": str(team.draft.version), "action": "draft"},
    )

    assert ContentVersion.objects.get(number=1).snapshot["text"] == "Not yet"


# -- the queue


def test_a_post_in_the_queue_goes_out_at_the_next_free_time_of_each_account(author, typed, team):
    other = make_account(team.workspace, NOW, name="Second")
    slots.set_slots(account=team.account, times=[(0, time(12)), (0, time(13)), (1, time(13))], actor=ACTOR, now=NOW)
    slots.set_slots(account=other, times=[(2, time(7, 30))], actor=ACTOR, now=NOW)
    chosen = {"accounts": [str(team.account.public_id), str(other.public_id)], "action": "queue"}
    last = Schedule.objects.order_by("id").last().pk

    author.post(NEW, typed | chosen)
    author.post(NEW, typed | chosen | {"text": "The next one, quite another"})

    found = [
        [
            f"{target.account.name} {item.start_local + timedelta(seconds=target.offset_seconds):%a %d %H:%M}"
            for target in item.targets.order_by("offset_seconds")
        ]
        for item in Schedule.objects.filter(pk__gt=last).order_by("id")
    ]
    # Mondays at 12:00 another schedule of the account is there; the times of the second post lie more than a week apart
    assert found == [["Harbour Mon 23 13:00", "Second Wed 25 07:30"], ["Harbour Tue 24 13:00"], ["Second Wed 02 07:30"]]
    assert Schedule.objects.filter(pk__gt=last).values("content").distinct().count() == 2


def test_an_account_without_times_is_named_and_nothing_is_made(author, typed, team):
    before = Schedule.objects.count()
    response = author.post(NEW, typed | {"action": "queue"})

    body = response.content.decode()
    assert response.status_code == 422
    assert "Harbour has no free posting time" in body
    assert Schedule.objects.count() == before
    assert re.search(r'name="when" value="once" checked', body)


def test_posting_times_are_written_in_words_and_read_back(owner, author, team):
    url = reverse("web:account_times", args=[team.account.public_id])
    wrong = owner.post(url, {"day-0": "9:00, 25:00"})
    owner.post(url, {"day-0": "9:00, 17.30 9:00", "day-6": "0815"})

    assert wrong.status_code == 422
    assert 'id="err_day-0"' in wrong.content.decode()
    assert 'value="9:00, 25:00"' in wrong.content.decode()
    assert list(PostingSlot.objects.values_list("weekday", "time")) == [
        (0, time(9)),
        (0, time(17, 30)),
        (6, time(8, 15)),
    ]
    assert author.post(url, {"day-0": "10:00"}).status_code == 403


# -- the link's card and the emoji


def test_a_links_card_is_what_the_page_says_of_itself_and_is_kept(author, monkeypatch):
    cache.clear()
    page = (
        b"<html><head><meta charset=utf-8><title>Old</title>"
        b"<meta property='og:title' content='The &lt;pier&gt;'><meta name=description content='Lights.'>"
    )
    asked = []

    def answer(method, url, **rest):
        asked.append(url)
        if url.endswith("/old"):
            return http.Response(status=301, headers={"location": "/new"}, body=b"")
        return http.Response(status=200, headers={"content-type": "text/html"}, body=page)

    monkeypatch.setattr(link_cards.http, "request", answer)
    bodies = [author.get("/app/link-card/", {"url": "https://a.example/old"}).content.decode() for _ in range(2)]

    assert asked == ["https://a.example/old", "https://a.example/new"]
    assert bodies[0] == bodies[1]
    assert "The &lt;pier&gt;" in bodies[0]
    assert "Lights." in bodies[0]


@pytest.mark.parametrize(
    ("url", "words"), [("http://10.0.0.1/", "private network"), ("javascript:alert(1)", "no web address")]
)
def test_a_link_that_must_not_or_cannot_be_read_says_so(author, url, words):
    cache.clear()
    assert words in author.get("/app/link-card/", {"url": url}).content.decode()


def test_emoji_are_found_by_their_names(author):
    assert 'data-emoji="🚀"' in author.get("/app/emoji/", {"q": "rocket"}).content.decode()
    assert "No emoji of this name" in author.get("/app/emoji/", {"q": "zzz"}).content.decode()


# -- files


def test_alternative_text_is_written_beside_the_file_and_belongs_to_it(author, typed, team):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from platforms.models import MediaAsset
    from tests.integration.web.test_composer import PIXEL

    author.post(reverse("web:media_upload"), {"upload": SimpleUploadedFile("lamp.png", PIXEL)}, headers=HTMX)
    asset = MediaAsset.objects.get()
    wanted = typed | {"media": [str(asset.public_id)]}

    assert "has no alternative text" in part(author.post(PREVIEW, wanted).content.decode(), "live-media")
    alt = {f"alt-{asset.public_id}": "A lamp on a pier"}
    assert "has no alternative text" not in author.post(PREVIEW, wanted | alt).content.decode()
    author.post(NEW, wanted | alt)
    asset.refresh_from_db()
    assert asset.alt_text == "A lamp on a pier"


def test_jobs_of_the_queue_are_made_at_once_where_they_are_near(author, typed, team):
    slots.set_slots(account=team.account, times=[(0, time(13))], actor=ACTOR, now=NOW)
    author.post(NEW, typed | {"action": "queue"})

    assert (
        Job.objects.get(schedule=Schedule.objects.order_by("-id").first()).run_at.isoformat()
        == "2026-11-23T12:00:00+00:00"
    )
