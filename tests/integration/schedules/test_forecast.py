"""What is foretold of planned posts, in words and in a fixed number of queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from platforms.models import CircuitState, PlatformAccount, Service
from platforms.services import accounts, publishing
from schedules.reads.forecast import forecasts
from schedules.reads.standing import standings
from tests.engine import run_due
from tests.people import ACTOR, make_account, make_schedule

HOUR = timedelta(hours=1)


@pytest.fixture
def account(workspace, now, hosted):
    """09:00 on a Monday in Berlin, with posts at 10:00, 11:00 and at 09:00 the next day."""
    made = make_account(workspace, now, platform="hosted", options={"host": "h"})
    for at in (now + HOUR, now + 2 * HOUR, now + 24 * HOUR):
        make_schedule(workspace, [made], now, start_local=at.replace(tzinfo=None))
    return made


def told(now, *wanted):
    rows = PlatformAccount.objects.select_related("circuit", "service")
    found = forecasts(rows.filter(pk__in=[row.pk for row in wanted]) if wanted else rows, now)
    return [(item.kind, item.count, item.words) for items in found.values() for item in items]


def test_of_an_account_that_is_well_nothing_is_foretold_and_nothing_asked(account, now):
    rows = list(PlatformAccount.objects.select_related("circuit", "service"))

    with CaptureQueriesContext(connection) as queries:
        assert forecasts(rows, now) == {}

    assert len(queries) == 0


def test_posts_of_an_account_that_must_sign_in_again(account, now):
    accounts.mark_needs_auth(account_id=account.pk, message="Revoked.", actor=ACTOR, now=now)

    assert told(now) == [("sign_in", 3, "3 posts until tomorrow will wait: sign in again.")]


def test_held_posts_count_too(account, now):
    accounts.mark_needs_auth(account_id=account.pk, message="Revoked.", actor=ACTOR, now=now)
    run_due(now + HOUR)

    assert [item[:2] for item in told(now + HOUR)] == [("sign_in", 3)]


def test_posts_after_the_end_of_a_sign_in_that_cannot_be_renewed(account, now):
    PlatformAccount.objects.update(
        refresh_state="failing", refresh_error="No answer.", credentials_expire_at=now + timedelta(minutes=90)
    )

    assert told(now) == [
        (
            "renewal",
            2,
            "2 posts until tomorrow will wait: the sign-in runs out today at 10:30 CET and renewing it fails. No answer.",
        )
    ]


def test_posts_after_the_end_of_a_sign_in_that_only_a_person_renews(account, now):
    PlatformAccount.objects.update(refresh_state="", credentials_expire_at=now + timedelta(minutes=90))

    words = "2 posts until tomorrow will wait: the sign-in ends today at 10:30 CET and cannot be renewed. Sign in again before."
    assert told(now) == [("ending", 2, words)]


def test_posts_while_the_platform_does_not_answer(account, now):
    Service.objects.filter(accounts=account).update(
        state="open", failures=5, retry_at=now + timedelta(minutes=70), last_error="x"
    )

    assert told(now) == [
        ("outage", 1, "1 post today will wait: h does not answer. The next try is today at 10:10 CET.")
    ]


def test_posts_beyond_the_budget_of_the_day(account, now):
    PlatformAccount.objects.update(daily_cap=2)
    publishing.admit([account], now)  # one of them is used

    [(kind, count, words)] = told(now)

    assert (kind, count) == ("limit", 1)
    assert words == "1 post today will wait: more are planned than the 2 that may go out in 24 hours."


def test_a_weekday_is_named_on_the_accounts_own_wall_clock(workspace, hosted, now):
    account = make_account(workspace, now, platform="hosted", timezone="Pacific/Auckland")
    at = now + timedelta(hours=40)  # Wednesday 01:00 in Berlin, Wednesday 13:00 in Auckland
    make_schedule(workspace, [account], now, start_local=at.replace(tzinfo=None))
    accounts.mark_needs_auth(account_id=account.pk, message="Revoked.", actor=ACTOR, now=now)

    assert told(now) == [("sign_in", 1, "1 post until Wednesday will wait: sign in again.")]


def test_many_accounts_in_trouble_cost_no_more_queries_than_one(workspace, hosted, now):
    def cost(count):
        made = [make_account(workspace, now, platform="hosted", name=f"A{count}x{place}") for place in range(count)]
        for place, account in enumerate(made):
            make_schedule(workspace, [account], now, start_local=(now + HOUR).replace(tzinfo=None))
            if place % 2:
                PlatformAccount.objects.filter(pk=account.pk).update(daily_cap=5)
            else:
                CircuitState.objects.create(account=account, state="open", failures=5, retry_at=now + 2 * HOUR)
        rows = list(
            PlatformAccount.objects.select_related("circuit", "service").filter(pk__in=[row.pk for row in made])
        )
        with CaptureQueriesContext(connection) as queries:
            standings(rows, now)
        return len(queries)

    assert cost(2) == cost(8) == 4


def test_what_is_left_of_each_budget_is_shown(workspace, hosted, now):
    shared = {"scope": "app", "name": "hour", "capacity": 3, "period_seconds": 3600}
    options = {"app": "a", "budgets": [shared]}
    first, second = (
        make_account(workspace, now, name=name, platform="hosted", options=options, hourly_cap=10) for name in "AB"
    )
    publishing.admit([first, second], now)

    rows = PlatformAccount.objects.select_related("circuit", "service").filter(pk=second.pk)
    shown = standings(rows, now)[second.pk].budgets

    assert [(item.scope, item.name, item.left, item.capacity, item.period) for item in shown] == [
        ("account", "hour", 9, 10, "60 minutes"),
        ("app", "hour", 1, 3, "60 minutes"),
    ]
