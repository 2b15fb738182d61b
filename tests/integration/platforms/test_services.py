"""What is down together: one circuit for a host, beside those of its accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from platforms.contracts import CallResult
from platforms.models import CircuitState, Service
from platforms.services import publishing
from tests.people import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(workspace, now, hosted):
    def made(name, host="h"):
        return make_account(workspace, now, name=name, platform="hosted", options={"host": host})

    return made


@pytest.fixture
def three(make):
    return [make(name) for name in ("One", "Two", "Three")]


def fail(accounts, now, times=6):
    results = [
        CallResult(account_id=accounts[number % len(accounts)].pk, error_class="unavailable", message="no answer")
        for number in range(times)
    ]
    return publishing.settle(results, now)


def test_a_service_that_is_down_holds_all_its_accounts_and_no_other(three, make, now):
    unhurt, elsewhere = make("Four"), make("Five", host="other")

    fail(three, now, times=5)

    answer = publishing.admit([unhurt], now)[unhurt.pk]
    assert (answer.allowed, answer.cause, answer.retry_at) == (False, "outage", now + timedelta(seconds=30))
    assert answer.reason == "h does not answer; several accounts are affected: no answer"
    assert publishing.admit([elsewhere], now)[elsewhere.pk].allowed


def test_one_probe_goes_for_the_whole_service(three, now):
    fail(three, now)
    probe_at = now + timedelta(seconds=30)

    answers = publishing.admit(three, probe_at)

    assert sum(answer.allowed for answer in answers.values()) == 1
    again = publishing.admit(three, probe_at + timedelta(seconds=5))
    assert not any(answer.allowed for answer in again.values())


def test_a_probe_that_is_answered_frees_all_and_says_so(three, now):
    fail(three, now)
    probe_at = now + timedelta(seconds=30)
    [chosen] = [pk for pk, answer in publishing.admit(three, probe_at).items() if answer.allowed]

    recovered = publishing.settle([CallResult(account_id=chosen)], probe_at)

    assert recovered.service_ids == {Service.objects.get(key="hosted:h").pk}
    assert all(answer.allowed for answer in publishing.admit(three, probe_at).values())


def test_circuits_of_its_accounts_are_tried_as_soon_as_the_service_answers(three, now):
    fail(three[:1], now, times=7)  # its own circuit opens
    fail(three, now)
    CircuitState.objects.filter(account=three[0]).update(retry_at=now + timedelta(minutes=15))
    probe_at = now + timedelta(seconds=30)
    publishing.admit(three[1:], probe_at)

    publishing.settle([CallResult(account_id=three[1].pk)], probe_at)

    assert publishing.admit([three[0]], probe_at)[three[0].pk].allowed


def test_a_probe_that_was_not_sent_lets_another_go(three, now):
    fail(three, now)
    probe_at = now + timedelta(seconds=30)
    [chosen] = [pk for pk, answer in publishing.admit(three, probe_at).items() if answer.allowed]

    publishing.give_back([chosen], probe_at)

    assert sum(answer.allowed for answer in publishing.admit(three, probe_at).values()) == 1


def test_one_failing_account_alone_does_not_take_the_service_down(three, now):
    fail(three[:1], now, times=20)

    assert Service.objects.get(key="hosted:h").state == "closed"
    assert publishing.admit([three[1]], now)[three[1].pk].allowed


def test_opening_and_closing_are_told_once_in_each_workspace(three, people, hosted, now, monkeypatch):
    from alwrity_scheduler.core import events

    make_account(people.other_workspace, now, name="Theirs", platform="hosted", options={"host": "h"})
    told: list[events.Fact] = []
    monkeypatch.setattr(events, "_sinks", [told.extend])

    fail(three, now)
    publishing.settle([CallResult(account_id=three[0].pk)], now)

    services = [fact for fact in told if fact.object_type == "service"]
    assert [(fact.name, fact.workspace_id) for fact in services] == [
        ("circuit.opened", people.workspace.pk),
        ("circuit.opened", people.other_workspace.pk),
        ("circuit.closed", people.workspace.pk),
        ("circuit.closed", people.other_workspace.pk),
    ]
    assert (services[0].object_label, services[0].after["error"]) == ("h", "no answer")


def test_admitting_and_settling_cost_one_query_each_on_clean_circuits(three, now):
    with CaptureQueriesContext(connection) as admitting:
        publishing.admit(three, now)
    with CaptureQueriesContext(connection) as settling:
        publishing.settle([CallResult(account_id=account.pk) for account in three], now)

    assert (len(admitting), len(settling)) == (1, 1)
