"""An account's page says how it stands, and lets a manager try at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from platforms.models import PlatformAccount, Service
from platforms.services import accounts
from schedules.models import AuditLog, Job
from tests.conftest import NOW
from tests.people import ACTOR

RETRY = NOW + timedelta(minutes=10)


@pytest.fixture
def down(team):
    Service.objects.filter(accounts=team.account).update(
        state="open", failures=6, opened_at=NOW, retry_at=RETRY, last_error="Connection refused.", label="api.test"
    )
    Job.objects.filter(pk=team.jobs[0].pk).update(
        run_at=RETRY, scheduled_for=NOW - timedelta(minutes=1), reason="platform_down"
    )
    return team.account


def page(client, account):
    return client.get(reverse("web:account", args=[account.public_id])).content.decode()


def try_now(client, account):
    return client.post(reverse("web:account_act", args=[account.public_id, "try-now"]))


def test_an_account_that_is_well_says_so_and_offers_nothing_to_try(owner, team):
    body = page(owner, team.account)

    assert "Nothing speaks against publishing." in body
    assert "Try now" not in body


def test_an_account_that_is_held_back_says_why_and_until_when(owner, down):
    body = page(owner, down)

    assert "api.test does not answer; the posts of all its accounts wait." in body
    assert "Connection refused." in body
    assert "Mon 23 Nov, 09:10 CET" in body
    assert "Try now" in body


def test_budgets_are_shown_with_what_is_left(owner, team):
    PlatformAccount.objects.filter(pk=team.account.pk).update(hourly_cap=7)

    assert "7 of 7 left, in any 60 minutes" in page(owner, team.account)


def test_try_now_lets_a_waiting_post_test_the_platform_at_once(owner, down):
    response = try_now(owner, down)

    assert response.status_code == 303
    assert Service.objects.get(accounts=down).retry_at == NOW
    assert Job.objects.get(reason="platform_down").run_at == NOW
    assert AuditLog.objects.filter(action="account.tried_now").count() == 1


def test_try_now_also_renews_a_sign_in_that_failed(owner, team):
    PlatformAccount.objects.filter(pk=team.account.pk).update(refresh_state="failing", refresh_at=RETRY)

    try_now(owner, team.account)

    assert PlatformAccount.objects.get(pk=team.account.pk).refresh_at == NOW
    assert team.account.refresh_row.run_at == NOW


def test_trying_what_needs_no_trying_is_refused_in_words(owner, team):
    response = owner.post(
        reverse("web:account_act", args=[team.account.public_id, "try-now"]),
        headers={"HX-Request": "true"},
        follow=True,
    )

    assert "Nothing is being waited for" in response.headers["HX-Trigger"]
    assert not AuditLog.objects.filter(action="account.tried_now").exists()


def test_who_may_not_manage_accounts_is_not_offered_it_and_may_not_do_it(viewer, author, stranger, down):
    assert "Try now" not in page(viewer, down)
    assert try_now(viewer, down).status_code == 403
    assert try_now(author, down).status_code == 403
    assert try_now(stranger, down).status_code == 404
    assert Service.objects.get(accounts=down).retry_at == RETRY


def test_today_foretells_what_will_wait(owner, team, down):
    accounts.mark_needs_auth(account_id=team.account.pk, message="Revoked.", actor=ACTOR, now=NOW)

    body = owner.get(reverse("web:today")).content.decode()

    assert "posts until tomorrow will wait: sign in again." in body
    assert body.count("Harbour</a>") == 1
