"""Budgets of accounts and of apps, and what platforms say about them: R32."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from platforms.contracts import CallResult, RateInfo
from platforms.models import PlatformAccount, RateWindow
from platforms.services import accounts, placing, publishing
from tests.people import make_account

pytestmark = pytest.mark.django_db
SHARED = {"scope": "app", "name": "hour", "capacity": 3, "period_seconds": 3600}
OWN = {"scope": "account", "name": "15min", "capacity": 2, "period_seconds": 900}


@pytest.fixture
def make(workspace, now, hosted):
    def made(name, **options):
        return make_account(workspace, now, name=name, platform="hosted", options=options)

    return made


def ask(account, now):
    return publishing.admit([account], now)[account.pk]


def say(account, now, **rate):
    publishing.settle([CallResult(account_id=account.pk, rate=RateInfo(**rate))], now)


def test_r32_accounts_of_one_app_share_its_budget(make, now):
    first, second = make("One", app="a", budgets=[SHARED]), make("Two", app="a", budgets=[SHARED])
    other = make("Three", app="b", budgets=[SHARED])

    assert [ask(account, now).allowed for account in (first, second, first, second)] == [True, True, True, False]

    answer = ask(first, now)
    assert (answer.allowed, answer.cause) == (False, "limit")
    assert answer.reason == "At most 3 posts in any 60 minutes, all accounts of the app together."
    assert ask(other, now).allowed
    assert ask(second, now + timedelta(hours=1, seconds=1)).allowed


def test_an_app_budget_that_is_spent_costs_the_account_nothing_of_its_own(make, now):
    account = make("One", app="a", budgets=[{**SHARED, "capacity": 1}, OWN])
    ask(account, now)

    assert not ask(account, now).allowed

    assert RateWindow.objects.get(account=account).tokens == 1
    assert RateWindow.objects.get(app_key="hosted:a").tokens == 0


def test_giving_back_returns_the_apps_token_too(make, now):
    account = make("One", app="a", budgets=[{**SHARED, "capacity": 1}])
    ask(account, now)

    publishing.give_back([account.pk], now)

    assert ask(account, now).allowed


def test_a_budget_of_an_app_that_is_not_named_is_left_out(make):
    assert make("One", budgets=[SHARED]).budgets == []


def test_settings_that_change_the_app_change_the_budget_at_once(make, actor, now):
    account = make("One", app="a", budgets=[SHARED])

    accounts.update_settings(account=account, changes={"options": {"app": "z"}}, actor=actor, now=now)

    account.refresh_from_db()
    assert (account.app_key, account.budgets) == ("hosted:z", [])


def test_an_adapter_without_the_optional_protocols_is_one_service_without_budgets(account):
    assert (account.service.key, account.service.label) == ("scripted", "Scripted")
    assert (account.app_key, account.budgets, account.refresh_state) == ("", [], "")


def test_an_adapter_that_fails_to_say_is_told_of_and_does_without(make, hosted, monkeypatch):
    monkeypatch.setattr(type(hosted), "service_of", lambda self, account: 1 / 0)

    assert make("One", host="h").service.key == "hosted"


def test_an_account_from_before_is_placed_at_its_first_call(make, now):
    account = make("One", host="h", app="a", budgets=[SHARED])
    PlatformAccount.objects.filter(pk=account.pk).update(service=None, app_key="", budgets=[])

    ask(account, now)

    account.refresh_from_db()
    assert (account.service.key, account.app_key) == ("hosted:h", "hosted:a")
    assert RateWindow.objects.get(app_key="hosted:a").tokens == 2


def test_an_updated_adapter_is_asked_again_within_the_hour(make, hosted, now, monkeypatch):
    account = make("One", host="h")
    monkeypatch.setattr(type(hosted), "service_of", lambda self, account: "elsewhere")

    assert placing.adopt_all(now) == 1
    assert placing.adopt_all(now) == 0

    account.refresh_from_db()
    assert account.service.key == "hosted:elsewhere"


def test_nothing_left_means_not_before_the_reset(make, now):
    account = make("One")

    say(account, now, remaining=0, reset_seconds=90)

    answer = ask(account, now + timedelta(seconds=89))
    assert (answer.allowed, answer.retry_at) == (False, now + timedelta(seconds=90))
    assert ask(account, now + timedelta(seconds=90)).allowed


def test_nothing_left_for_the_app_holds_all_its_accounts_and_no_other(make, now):
    first, second, other = make("One", app="a"), make("Two", app="a"), make("Three", app="b")

    say(first, now, remaining=0, reset_seconds=90, scope="app")

    assert [ask(account, now).allowed for account in (first, second, other)] == [False, False, True]


def test_the_stored_budget_never_believes_to_have_more_than_the_platform_says(make, now):
    account = make("One", budgets=[{**OWN, "capacity": 10}])
    ask(account, now)

    say(account, now, remaining=1, reset_seconds=60)
    assert [ask(account, now).allowed, ask(account, now).allowed] == [True, False]

    say(account, now, remaining=500, reset_seconds=60)
    assert not ask(account, now).allowed
    # nine came back with the reset, of which one was taken since
    assert sum(ask(account, now + timedelta(seconds=61)).allowed for _ in range(12)) == 8


def test_a_budget_that_was_never_used_is_lowered_too(make, now):
    account = make("One", budgets=[OWN])

    say(account, now, remaining=1, reset_seconds=60)

    assert [ask(account, now).allowed, ask(account, now).allowed] == [True, False]


def test_a_429_without_retry_after_waits_for_the_reset(make, now):
    account = make("One")
    rate = RateInfo(remaining=0, reset_seconds=300)

    publishing.settle([CallResult(account_id=account.pk, error_class="rate_limited", rate=rate)], now)

    assert ask(account, now).retry_at == now + timedelta(seconds=300)


def test_headers_that_change_nothing_write_nothing(make, now):
    account = make("One", budgets=[OWN])

    with CaptureQueriesContext(connection) as queries:
        say(account, now, remaining=40, reset_seconds=60)

    assert {query["sql"].split()[0] for query in queries} <= {"SELECT", "SAVEPOINT", "RELEASE"}
