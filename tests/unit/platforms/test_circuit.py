"""The breaker as a table of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from platforms.circuit import CLEAN, Circuit, after, after_call_of, is_waiting, probing, unprobed, wait_after

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def failed(circuit, times, error_class="unavailable"):
    for _ in range(times):
        circuit = after(circuit, error_class, "no answer", NOW)
    return circuit


@pytest.mark.parametrize("error_class", ["unavailable", "unknown"])
def test_the_fifth_failure_in_a_row_opens_it_for_30_seconds(error_class):
    assert failed(CLEAN, 4, error_class).state == "closed"
    opened = failed(CLEAN, 5, error_class)
    assert (opened.state, opened.failures, opened.last_error) == ("open", 5, "no answer")
    assert opened.retry_at == NOW + timedelta(seconds=30)
    assert is_waiting(opened, NOW + timedelta(seconds=29))
    assert not is_waiting(opened, NOW + timedelta(seconds=30))


@pytest.mark.parametrize("error_class", ["rejected", "auth", "rate_limited"])
def test_a_refusal_is_an_answer_and_never_opens_it(error_class):
    assert failed(CLEAN, 50, error_class) == CLEAN
    half = probing(failed(CLEAN, 5), NOW)
    assert after(half, error_class, "no", NOW) == CLEAN


def test_a_success_starts_the_count_again():
    assert after(failed(CLEAN, 4), None, "", NOW) == CLEAN
    assert failed(after(failed(CLEAN, 4), None, "", NOW), 4).state == "closed"


def test_one_probe_decides():
    half = probing(failed(CLEAN, 5), NOW)
    assert half.state == "half_open"
    assert is_waiting(half, NOW)  # nobody else while the probe is out
    assert after(half, None, "", NOW) == CLEAN
    again = after(half, "unknown", "still nothing", NOW)
    assert (again.state, again.retry_at) == ("open", NOW + timedelta(seconds=60))
    assert again.opened_at == NOW


def test_a_probe_that_was_not_sent_lets_the_next_go_at_once():
    assert not is_waiting(unprobed(probing(failed(CLEAN, 5), NOW), NOW), NOW)


def test_a_lost_probe_is_given_up():
    half = probing(failed(CLEAN, 5), NOW)
    assert not is_waiting(half, NOW + timedelta(minutes=2))


def test_late_failures_of_earlier_calls_do_not_prolong_it():
    opened = failed(CLEAN, 5)
    assert failed(opened, 10) == opened


@pytest.mark.parametrize(
    ("failures", "seconds"), [(5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 900), (11, 900), (10_000, 900)]
)
def test_the_wait_doubles_up_to_15_minutes(failures, seconds):
    assert wait_after(failures) == timedelta(seconds=seconds)


def test_a_closed_circuit_never_waits():
    assert not is_waiting(Circuit(failures=4, last_error="x"), NOW)


def service_failed(circuit, accounts):
    for account in accounts:
        circuit = after_call_of(account, circuit, "unavailable", "no answer", NOW)
    return circuit


@pytest.mark.parametrize(
    ("accounts", "state"),
    [
        ([1, 2, 1, 2], "closed"),  # four in a row
        ([1, 1, 1, 1, 1, 1], "closed"),  # one account alone: its own circuit's affair
        ([1, 1, 1, 1, 2], "open"),
        ([1, 2, 3, 4, 5], "open"),
    ],
)
def test_a_service_is_down_when_several_of_its_accounts_failed_in_a_row(accounts, state):
    assert service_failed(CLEAN, accounts).state == state


def test_an_answer_to_any_account_ends_the_row():
    row = service_failed(CLEAN, [1, 2, 1, 2])
    assert after_call_of(3, row, None, "", NOW) == CLEAN


def test_a_failed_probe_of_one_account_keeps_the_service_down_for_longer():
    half = probing(service_failed(CLEAN, [1, 2, 1, 2, 1]), NOW)
    again = after_call_of(7, half, "unavailable", "still nothing", NOW)
    assert (again.state, again.retry_at) == ("open", NOW + timedelta(seconds=60))
    assert after_call_of(7, half, "rejected", "no", NOW) == CLEAN


def test_a_failed_probe_alone_never_closes_a_service():
    half = Circuit(state="half_open", failures=5, opened_at=NOW, retry_at=NOW)  # nobody is named in the row
    assert after_call_of(7, half, "unavailable", "still nothing", NOW).state == "open"


def test_the_list_of_failing_accounts_stays_short():
    assert len(service_failed(CLEAN, range(100)).failed) <= 20
