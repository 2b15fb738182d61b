"""Sign-ins are renewed before they run out: one call at a time, revoked told from transient, nothing overwritten. R31."""

from __future__ import annotations

from datetime import timedelta

import pytest

from platforms.contracts import Refreshed
from platforms.errors import AuthFailed, Rejected, Unavailable, UnknownOutcome
from platforms.models import PlatformAccount
from platforms.services import accounts
from schedules.models import AuditLog, CredentialRefresh, Job
from schedules.services import refreshing
from tests.engine import claim_due, run_due
from tests.people import ACTOR, make_account, make_schedule

HOUR = timedelta(hours=1)


@pytest.fixture
def account(workspace, now, hosted):
    made = make_account(
        workspace, now, platform="hosted", credentials={"token": "first", "refresh_token": "r0"}, name="News"
    )
    refreshing.plan(now=now)
    return made


def fresh(account):
    return PlatformAccount.objects.get(pk=account.pk)


def expired(account, now, **values):
    PlatformAccount.objects.filter(pk=account.pk).update(credentials_expire_at=now, **values)


def test_a_new_sign_in_is_renewed_at_once_because_nobody_knows_until_when_it_is_good(account, hosted, now):
    run_due(now)

    row = fresh(account)
    assert dict(row.credentials) == {"token": "fresh", "refresh_token": "r1"}
    assert (row.refresh_state, row.refreshed_at, row.credentials_expire_at) == ("ok", now, now + 2 * HOUR)
    assert hosted.renewed == ["r0"]


def test_it_is_renewed_again_a_fifth_of_its_life_before_its_end(account, hosted, now):
    run_due(now)

    run_due(now + timedelta(minutes=95))
    assert hosted.renewed == ["r0"]
    hosted.clock = now + timedelta(minutes=96)
    run_due(now + timedelta(minutes=96))

    assert hosted.renewed == ["r0", "r1"]
    assert fresh(account).credentials_expire_at == now + timedelta(minutes=96) + 2 * HOUR


def test_a_transient_failure_is_tried_again_later_and_later_and_told_once(account, hosted, now):
    hosted.renewals = [Unavailable("Down."), UnknownOutcome("No answer."), Rejected("404"), Unavailable("Down.")]
    pauses, moment = [], now
    for _ in range(4):
        run_due(moment)
        following = CredentialRefresh.objects.get().run_at
        pauses.append((following - moment).total_seconds())
        moment = following

    assert (fresh(account).state, fresh(account).refresh_state) == ("active", "failing")
    assert 15 <= pauses[0] <= 30
    assert 120 <= pauses[3] <= 240
    assert AuditLog.objects.filter(action="account.refresh_failing").count() == 1
    run_due(moment)
    assert (fresh(account).refresh_state, fresh(account).refresh_error) == ("ok", "")


def test_the_token_addresss_wish_for_a_pause_is_kept(account, hosted, now):
    hosted.renewals = [Unavailable("Later.", retry_after_seconds=500)]

    run_due(now)

    assert CredentialRefresh.objects.get().run_at == now + timedelta(seconds=500)


def test_r31_a_revoked_sign_in_asks_for_a_person_once_and_is_not_tried_again(account, hosted, now):
    hosted.renewals = [AuthFailed("The sign-in was taken back.")]

    run_due(now)
    refreshing.plan(now=now + HOUR)
    run_due(now + HOUR)

    row = fresh(account)
    assert (row.state, row.refresh_state, row.state_reason) == ("needs_auth", "revoked", "The sign-in was taken back.")
    assert hosted.renewed == ["r0"]
    assert AuditLog.objects.filter(action="account.auth_lost").count() == 1


def test_a_person_who_signs_in_again_starts_it_anew(account, hosted, now):
    hosted.renewals = [AuthFailed("Taken back.")]
    run_due(now)

    secrets = {"token": "new", "refresh_token": "n0"}
    row = accounts.set_credentials(account=account, credentials=secrets, actor=ACTOR, now=now)
    accounts.reconnect(account=row, actor=ACTOR, now=now)
    refreshing.plan(now=now)
    run_due(now)

    assert hosted.renewed == ["r0", "n0"]
    assert (fresh(account).state, fresh(account).refresh_state) == ("active", "ok")


def test_a_persons_newer_sign_in_is_never_overwritten(account, hosted, now):
    [(kind, claim, task)] = claim_due(now)
    result = kind.perform(task)
    _newer(account)

    kind.finish([(claim, task, result)], now)

    assert dict(fresh(account).credentials) == {"token": "typed", "refresh_token": "typed-refresh"}


def test_a_revocation_of_an_old_sign_in_does_not_stop_a_newer_one(account, hosted, now):
    hosted.renewals = [AuthFailed("Taken back.")]
    [(kind, claim, task)] = claim_due(now)
    result = kind.perform(task)
    _newer(account)

    kind.finish([(claim, task, result)], now)

    assert fresh(account).state == "active"


def _newer(account):
    row = fresh(account)
    secrets = {"token": "typed", "refresh_token": "typed-refresh"}
    accounts.set_credentials(account=row, credentials=secrets, actor=ACTOR, now=row.created_at)


def test_a_changed_name_does_not_lose_the_only_refresh_token_that_works(account, hosted, now):
    [(kind, claim, task)] = claim_due(now)
    result = kind.perform(task)
    accounts.update_settings(account=account, changes={"name": "Other"}, actor=ACTOR, now=now)

    kind.finish([(claim, task, result)], now)

    row = fresh(account)
    assert (row.name, dict(row.credentials)["refresh_token"]) == ("Other", "r1")


def test_a_result_that_comes_after_its_lease_is_stored_all_the_same(account, hosted, now):
    [(kind, claim, task)] = claim_due(now)
    result = kind.perform(task)
    assert kind.rescue(now + timedelta(minutes=2)) == 1

    kind.finish([(claim, task, result)], now + timedelta(minutes=2))

    assert dict(fresh(account).credentials)["refresh_token"] == "r1"
    assert CredentialRefresh.objects.get().state == "pending"


def test_one_account_is_renewed_by_one_at_a_time(account, hosted, now):
    first, second = claim_due(now, worker="a"), claim_due(now, worker="b")

    assert (len(first), second) == (1, [])
    assert CredentialRefresh.objects.get().serial_key == account.pk


def test_a_sign_in_that_has_run_out_is_not_used_and_its_posts_wait_for_the_fresh_one(account, workspace, hosted, now):
    run_due(now)
    expired(account, now)
    for text in ("first", "second"):
        make_schedule(workspace, [account], now, text=text)
    CredentialRefresh.objects.update(run_at=now + timedelta(seconds=20))

    run_due(now)
    assert hosted.calls == []
    assert set(Job.objects.values_list("state", "reason", "error_message")) == {
        ("pending", "fresh_sign_in", "Waiting for a fresh sign-in.")
    }
    hosted.clock = later = now + timedelta(seconds=20)
    run_due(later)
    run_due(later + timedelta(seconds=1))

    assert [call.text for call in hosted.calls] == ["first", "second"]
    assert {call.account.credentials["token"] for call in hosted.calls} == {"fresh"}


def test_a_refused_sign_in_is_renewed_before_a_person_is_asked(account, workspace, hosted, now):
    run_due(now)
    later = now + timedelta(minutes=30)
    hosted.script, hosted.clock = [AuthFailed("Expired.")], later
    make_schedule(workspace, [account], now, start_local=later.replace(tzinfo=None))

    run_due(later)
    assert (Job.objects.get().state, Job.objects.get().reason, Job.objects.get().tries) == (
        "pending",
        "fresh_sign_in",
        0,
    )
    refreshing.plan(now=later)
    run_due(later)
    run_due(later + timedelta(seconds=1))

    assert (Job.objects.get().state, fresh(account).state) == ("completed", "active")
    assert len(hosted.renewed) == 2


def test_a_fresh_sign_in_that_is_refused_asks_for_a_person(account, workspace, hosted, now):
    run_due(now)
    later = now + timedelta(minutes=2)
    hosted.script = [AuthFailed("No.")]
    make_schedule(workspace, [account], now, start_local=later.replace(tzinfo=None))

    run_due(later)

    assert (fresh(account).state, Job.objects.get().reason) == ("needs_auth", "auth")


def test_an_account_that_was_given_up_is_not_renewed(account, hosted, now):
    accounts.disconnect(account=account, actor=ACTOR, now=now)

    run_due(now)

    assert hosted.renewed == []
    assert CredentialRefresh.objects.get().state == "done"


def test_no_secret_is_in_a_fact(account, hosted, now):
    hosted.renewals = [
        Unavailable("Down."),
        Refreshed(credentials={"token": "very-secret-token", "refresh_token": "very-secret-refresh"}),
    ]
    run_due(now)
    run_due(CredentialRefresh.objects.get().run_at)

    assert dict(fresh(account).credentials)["token"] == "very-secret-token"
    told = str(list(AuditLog.objects.values_list("before", "after", "object_label")))
    for secret in ("very-secret", "r0", "first"):
        assert secret not in told
