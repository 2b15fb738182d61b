"""The accounts as cards: what needs somebody first, what will not go out, filters; and as many queries for thirty as for three."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alwrity_scheduler.core.events import ENGINE
from platforms.models import PlatformAccount
from platforms.services import accounts, groups
from schedules.models import Job
from tests.conftest import NOW
from tests.people import ACTOR, make_account

PAGE = "/app/accounts/"


@pytest.fixture
def places(team):
    """Harbour with its posts, and three more: of another platform, paused, with a sign-in that ends."""
    names = ("Atlas", "Brook", "Coast")
    rows = {name: make_account(team.workspace, NOW, name=name) for name in names}
    PlatformAccount.objects.filter(pk=rows["Atlas"].pk).update(platform="mastodon")
    accounts.pause(account=rows["Brook"], actor=ACTOR, now=NOW)
    PlatformAccount.objects.filter(pk=rows["Coast"].pk).update(credentials_expire_at=NOW + timedelta(days=2))
    return rows


def names(response):
    return re.findall(r'<a class="title"[^>]*><bdi>(\w+)</bdi>', response.content.decode())


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_what_needs_somebody_comes_first_and_says_what_will_wait(owner, team, places):
    accounts.mark_needs_auth(account_id=team.account.pk, message="The token was revoked.", actor=ENGINE, now=NOW)
    page = owner.get(PAGE)

    assert names(page) == ["Harbour", "Coast", "Atlas", "Brook"]
    said = text(page)
    # a daily post, its runs of the next days included that stand as no rows yet; the paused schedule's are not counted
    assert "7 posts of the next 7 days will wait until somebody signs in: A title Mon 23 Nov, 18:00 CET" in said
    assert "The token was revoked." in said
    assert said.count("by ana") == 1  # of Mastodon; the sandbox has no keys
    assert "ends in 2 days: sign in again before" in said
    assert said.count("will wait until") == 1  # Coast has no post

    account = text(owner.get(reverse("web:account", args=[team.account.public_id])))
    assert "7 posts of the next 7 days will wait until somebody signs in" in account


def test_only_posts_after_the_end_of_the_sign_in_are_in_danger(owner, team):
    PlatformAccount.objects.filter(pk=team.account.pk).update(credentials_expire_at=NOW + timedelta(days=5))

    assert "2 posts of the next 7 days will wait until somebody signs in: A title Sat 28 Nov, 18:00 CET" in text(
        owner.get(PAGE)
    )


def test_filters_sorts_groups_and_empty_states(owner, team, places):
    groups.create(workspace=team.workspace, name="Brand", account_ids=[places["Atlas"].public_id], actor=ACTOR, now=NOW)
    group = groups.groups_of(team.workspace)[0]
    for query, found in (
        ({"q": "ATL"}, ["Atlas"]),
        ({"platform": "mastodon"}, ["Atlas"]),
        ({"state": "paused"}, ["Brook"]),
        ({"state": "trouble"}, ["Coast"]),
        ({"state": "made up", "sort": "made up"}, ["Coast", "Atlas", "Harbour", "Brook"]),
        ({"group": group.public_id}, ["Atlas"]),
        ({"sort": "name"}, ["Atlas", "Brook", "Coast", "Harbour"]),
        ({"sort": "platform"}, ["Atlas", "Brook", "Coast", "Harbour"]),
        ({"sort": "next"}, ["Harbour", "Atlas", "Brook", "Coast"]),
        ({"sort": "last"}, ["Atlas", "Brook", "Coast", "Harbour"]),
    ):
        assert names(owner.get(PAGE, query)) == found, query
    assert "No account matches these filters" in text(owner.get(PAGE, {"q": "nothing"}))
    assert "Clear filters" in text(owner.get(PAGE, {"q": "nothing"}))

    Job.objects.filter(pk=team.jobs[0].pk).update(state="completed", remote_id="1", finished_at=NOW)
    assert names(owner.get(PAGE, {"sort": "last"}))[0] == "Harbour"
    # the tabs keep the filters, the filters keep the group
    page = owner.get(PAGE, {"q": "a", "group": group.public_id}).content.decode()
    assert 'href="?q=a"' in page
    assert f'<input type="hidden" name="group" value="{group.public_id}">' in page


def test_without_an_account_there_is_one_thing_to_do(stranger):
    said = text(stranger.get(PAGE))

    assert "No account is connected" in said
    assert "Sorted by" not in said


def test_a_value_of_a_key_is_never_on_the_page(owner, team):
    secret = "1234567890:very-secret-value-of-thirty-five-ch"
    accounts.connect(
        workspace=team.workspace, platform="telegram", name="Bot", handle="bot", timezone="UTC",
        options={"chat_id": "@news"}, credentials={"bot_token": secret}, actor=ACTOR, now=NOW,
    )  # fmt: skip
    row = PlatformAccount.objects.get(name="Bot")
    for page in (owner.get(PAGE), owner.get(reverse("web:account", args=[row.public_id]))):
        assert "set Mon 23 Nov, 09:00 CET by ana" in text(page)
        assert secret not in page.content.decode()


def test_thirty_accounts_cost_no_more_queries_than_three(owner, team, places):
    accounts.mark_needs_auth(account_id=team.account.pk, message="Gone.", actor=ENGINE, now=NOW)
    owner.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        owner.get(PAGE)
    for number in range(26):
        row = make_account(team.workspace, NOW, name=f"Place{number}", daily_cap=10 if number % 2 else None)
        if number % 5 == 0:
            accounts.mark_needs_auth(account_id=row.pk, message="Gone.", actor=ENGINE, now=NOW)
    with CaptureQueriesContext(connection) as many:
        page = owner.get(PAGE)
    assert len(names(page)) == 30
    # daily limits ask for what is used of them, and for the posts of the next day
    assert len(many) <= len(few) + 3
    assert len(many) <= 21
    assert len(page.content) < 180_000
