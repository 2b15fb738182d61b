"""What goes along with every post of an account: in the engine, the check and the preview alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from platforms.adapters.sandbox.models import SandboxPost
from platforms.contracts import NO_DEFAULTS, AccountDefaults, AccountRef
from platforms.services import refs
from schedules.models import ContentItem
from schedules.services import posts
from schedules.services.posts import Override, Words
from tests.engine import run_due
from tests.people import People, make_account, make_schedule

ALWAYS = AccountDefaults(
    signature="The harbour team\nhttps://a.example/team",
    hashtags=("pier", "#Sea"),
    utm={"source": "{platform}", "medium": "post"},
)


def account(defaults: AccountDefaults = ALWAYS) -> AccountRef:
    return AccountRef(
        id=1, public_id="p", platform="sandbox", name="News", handle="news", timezone="UTC", defaults=defaults
    )


def put_together(words: Words, now: datetime, defaults: AccountDefaults = ALWAYS, *overrides: Override) -> Any:
    return posts.assemble(words, overrides, account(defaults), media=(), key="k", scheduled_for=now)


def words(**values: Any) -> Words:
    plain: dict[str, Any] = {"title": "", "text": "Open today", "link": "", "hashtags": [], "content_type": "post"}
    return Words(**(plain | values))


def test_signature_hashtags_and_parameters_are_added_once(now: datetime) -> None:
    made = put_together(words(link="https://a.example/x#top", hashtags=["sea"]), now)

    assert made.text == "Open today\n\nThe harbour team\nhttps://a.example/team?utm_source=sandbox&utm_medium=post"
    assert made.hashtags == ("sea", "pier")
    assert made.link == "https://a.example/x?utm_source=sandbox&utm_medium=post#top"


def test_the_posts_own_parameters_win_and_the_campaign_is_filled_in(now: datetime) -> None:
    given = words(
        text="https://a.example", utm={"source": "mine", "campaign": "{campaign}-{account}"}, campaign="Spring sale"
    )
    made = put_together(given, now, replace(ALWAYS, signature=""))

    assert made.text == "https://a.example?utm_source=mine&utm_medium=post&utm_campaign=Spring+sale-news"


def test_a_signature_stands_under_words_only_and_not_twice(now: datetime) -> None:
    assert put_together(words(text="", title="T"), now, AccountDefaults(signature="Us")).text == ""
    assert put_together(words(text="Hello\n\nUs "), now, AccountDefaults(signature="Us")).text == "Hello\n\nUs "


def test_a_platforms_own_words_get_them_too(now: datetime) -> None:
    made = put_together(
        words(), now, AccountDefaults(signature="Us", hashtags=("a",)), Override(text="Short", hashtags=[])
    )

    assert (made.text, made.hashtags) == ("Short\n\nUs", ("a",))


def test_without_any_nothing_changes(now: datetime) -> None:
    made = put_together(words(text=" https://a.example ", hashtags=["a"]), now, NO_DEFAULTS)

    assert (made.text, made.hashtags) == (" https://a.example ", ("a",))


@pytest.mark.django_db
def test_the_engine_publishes_what_was_put_together(
    people: People, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_account(people.workspace, now, name="Harbour")
    schedule = make_schedule(people.workspace, [row], now, text="See https://a.example/x")
    ContentItem.objects.filter(pk=schedule.content_id).update(utm={"campaign": "c"})
    plain = refs.account_ref

    def with_defaults(*given: Any, **named: Any) -> AccountRef:
        return replace(plain(*given, **named), defaults=AccountDefaults(hashtags=("pier",), signature="Us"))

    from platforms.services import publishing

    monkeypatch.setattr(publishing, "account_ref", with_defaults)
    run_due(now)

    post = SandboxPost.objects.get()
    assert (post.text, post.hashtags) == ("See https://a.example/x?utm_campaign=c\n\nUs", ["pier"])
