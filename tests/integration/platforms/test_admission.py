"""Who may be called now: limits, circuit and state, decided by the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from platforms.contracts import CallResult
from platforms.models import CircuitState, PlatformAccount, RateWindow
from platforms.services import accounts, admission, publishing
from tests.people import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(workspace, now):
    return make_account(workspace, now)


def limited(account, **limits):
    PlatformAccount.objects.filter(pk=account.pk).update(**limits)
    return account


def ask(account, now):
    return publishing.admit([account], now)[account.pk]


def fail(account, now, times=5, error_class="unavailable"):
    publishing.settle([CallResult(account_id=account.pk, error_class=error_class, message="no answer")] * times, now)


def test_accounts_without_limits_cost_one_query_whatever_their_number(workspace, now):
    many = [make_account(workspace, now, name=f"N{number}") for number in range(20)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answers = publishing.admit(many, now)
    assert len(queries) == 1
    assert {answer.allowed for answer in answers.values()} == {True}
    assert len(answers) == 20


@pytest.mark.parametrize(("verb", "word"), [("pause", "paused"), ("disconnect", "disconnected")])
def test_only_active_accounts_are_called(account, actor, now, verb, word):
    getattr(accounts, verb)(account=account, actor=actor, now=now)
    answer = ask(account, now)
    assert (answer.allowed, answer.retry_at) == (False, None)
    assert word in answer.reason


def test_a_stale_instance_does_not_help(account, actor, now):
    stale = PlatformAccount.objects.get(pk=account.pk)
    accounts.pause(account=account, actor=actor, now=now)
    assert not ask(stale, now).allowed


def test_an_account_that_is_gone_is_not_called(account, now):
    account_id = account.pk
    account.delete()
    account.pk = account_id
    assert not ask(account, now).allowed


def test_spacing_keeps_two_calls_apart(account, now):
    limited(account, min_spacing_seconds=60)
    assert ask(account, now).allowed
    answer = ask(account, now + timedelta(seconds=59))
    assert (answer.allowed, answer.retry_at) == (False, now + timedelta(seconds=60))
    assert ask(account, now + timedelta(seconds=60)).allowed


def test_an_hourly_cap_holds_in_any_hour(account, now):
    limited(account, hourly_cap=3)
    assert [ask(account, now + timedelta(minutes=minute)).allowed for minute in (0, 20, 40, 50)] == [
        True,
        True,
        True,
        False,
    ]
    answer = ask(account, now + timedelta(minutes=50))
    assert timedelta(minutes=60) <= answer.retry_at - now < timedelta(minutes=60, seconds=1)
    assert "60 minutes" in answer.reason
    assert ask(account, answer.retry_at).allowed


def test_a_daily_cap_holds_too_and_a_refusal_gives_the_hours_token_back(account, now):
    limited(account, hourly_cap=10, daily_cap=1, min_spacing_seconds=1)
    assert ask(account, now).allowed
    later = now + timedelta(minutes=5)
    assert not ask(account, later).allowed
    assert RateWindow.objects.get(account=account, name="hour").tokens == 9
    account.refresh_from_db()
    assert account.next_slot_at <= later


def test_giving_back_undoes_an_admission(account, now):
    limited(account, hourly_cap=1, min_spacing_seconds=60)
    assert ask(account, now).allowed
    publishing.give_back([account.pk], now)
    assert ask(account, now).allowed
    assert not ask(account, now).allowed


def test_a_raised_cap_counts_at_once(account, now):
    limited(account, hourly_cap=1)
    ask(account, now)
    assert not ask(account, now).allowed
    limited(account, hourly_cap=2)
    assert ask(account, now).allowed


def test_another_process_taking_the_token_first_is_seen(account, now, monkeypatch):
    limited(account, hourly_cap=1)
    read = admission.taken

    def robbed(window):
        state = read(window)
        RateWindow.objects.filter(pk=window.pk, version=0).update(taken=[[now.timestamp(), 1]], tokens=0, version=1)
        return state

    monkeypatch.setattr(admission, "taken", robbed)
    assert not ask(account, now).allowed
    assert RateWindow.objects.get().taken == [[now.timestamp(), 1]]


def test_five_failures_open_the_circuit_and_one_probe_goes_through(account, now):
    fail(account, now)
    answer = ask(account, now + timedelta(seconds=1))
    assert (answer.allowed, answer.retry_at) == (False, now + timedelta(seconds=30))
    assert "no answer" in answer.reason
    probe_at = now + timedelta(seconds=30)
    assert ask(account, probe_at).allowed
    assert not ask(account, probe_at).allowed  # exactly one
    publishing.settle([CallResult(account_id=account.pk)], probe_at)
    assert ask(account, probe_at).allowed
    assert CircuitState.objects.get().state == "closed"


def test_two_processes_that_see_the_same_open_circuit_send_one_probe(account, now):
    fail(account, now)
    probe_at = now + timedelta(seconds=30)
    first, second = (CircuitState.objects.get() for _ in range(2))
    half = admission.breaker.probing(admission.value_of(first), probe_at)
    assert [admission.swap_circuit(row, half) for row in (first, second)] == [True, False]


def test_a_probe_that_lost_the_race_pays_nothing(account, now, monkeypatch):
    limited(account, hourly_cap=5, min_spacing_seconds=60)
    fail(account, now)
    monkeypatch.setattr(admission, "swap_circuit", lambda row, value: False)
    probe_at = now + timedelta(seconds=30)
    assert not ask(account, probe_at).allowed
    assert RateWindow.objects.get().tokens == 5
    account.refresh_from_db()
    assert account.next_slot_at == probe_at


def test_a_probe_that_was_not_sent_lets_the_next_go(account, now):
    fail(account, now)
    probe_at = now + timedelta(seconds=30)
    assert ask(account, probe_at).allowed
    publishing.give_back([account.pk], probe_at)
    assert ask(account, probe_at).allowed


def test_a_failed_probe_doubles_the_wait(account, now):
    fail(account, now)
    probe_at = now + timedelta(seconds=30)
    ask(account, probe_at)
    fail(account, probe_at, times=1)
    assert ask(account, probe_at).retry_at == probe_at + timedelta(seconds=60)


def test_a_rate_limit_keeps_away_for_as_long_as_was_asked(account, now):
    def said(seconds):
        result = CallResult(account_id=account.pk, error_class="rate_limited", retry_after_seconds=seconds)
        publishing.settle([result], now)

    said(120)
    said(10)  # an earlier wish is not shortened
    assert ask(account, now + timedelta(seconds=119)).retry_at == now + timedelta(seconds=120)
    assert ask(account, now + timedelta(seconds=120)).allowed
    said(None)
    assert not CircuitState.objects.exclude(failures=0).exists()


def test_successes_on_clean_circuits_cost_one_read_and_no_write(workspace, now):
    many = [make_account(workspace, now, name=f"N{number}") for number in range(10)]
    with CaptureQueriesContext(connection) as queries:
        publishing.settle([CallResult(account_id=account.pk) for account in many], now)
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


def test_a_batch_of_failures_costs_a_fixed_number_of_queries(workspace, now):
    def cost(count):
        many = [make_account(workspace, now, name=f"A{count}x{number}") for number in range(count)]
        with CaptureQueriesContext(connection) as queries:
            publishing.settle(
                [CallResult(account_id=account.pk, error_class="unknown", message="x") for account in many], now
            )
        return len(queries)

    assert cost(2) == cost(12) <= 10


def test_opening_and_closing_are_told(account, now, monkeypatch):
    from alwrity_scheduler.core import events

    told: list[events.Fact] = []
    monkeypatch.setattr(events, "_sinks", [told.extend])
    fail(account, now, times=4)
    assert told == []
    fail(account, now, times=1)
    fail(account, now, times=3)
    publishing.settle([CallResult(account_id=account.pk)], now)
    assert [fact.name for fact in told] == ["circuit.opened", "circuit.closed"]
    assert told[0].after["error"] == "no answer"
    assert told[0].object_id == str(account.public_id)


def test_results_of_accounts_that_are_gone_are_ignored(now):
    publishing.settle(
        [CallResult(account_id=99, error_class="unknown"), CallResult(account_id=98, error_class="rate_limited")], now
    )
    assert not CircuitState.objects.exists()
