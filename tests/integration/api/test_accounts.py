"""Accounts: what is shown of them, and that nothing secret is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from platforms.models import PlatformAccount, Service
from tests.integration.api.callers import Caller
from tests.people import People, make_account, make_schedule


def test_an_account_is_shown_without_its_secrets(api: Caller, people: People, now: datetime) -> None:
    account = make_account(
        people.workspace,
        now,
        platform="http",
        name="Hook",
        options={"publish_url": "https://example.com/publish"},
        credentials={"bearer_token": "very-secret-token"},
    )
    PlatformAccount.objects.filter(pk=account.pk).update(
        options={"publish_url": "https://example.com/publish", "stray": "also-secret"}
    )

    answer = api.get(f"accounts/{account.public_id}/")

    shown = answer.json()
    assert shown["options"] == {"publish_url": "https://example.com/publish"}
    assert (shown["platform"], shown["name"], shown["handle"], shown["timezone"]) == (
        "http",
        "Hook",
        "hook",
        "Europe/Berlin",
    )
    assert (shown["state"], shown["state_reason"]) == ("active", "")
    assert shown["created_at_local"] == "2026-11-23T09:00:00+01:00"
    for secret in ("very-secret-token", "also-secret", "whsec_", "credentials"):
        assert secret not in answer.content.decode()


def test_options_of_a_missing_adapter_are_not_shown(api: Caller, account: Any) -> None:
    PlatformAccount.objects.filter(pk=account.pk).update(platform="gone", options={"token": "x"})

    assert api.get(f"accounts/{account.public_id}/").json()["options"] == {}


def test_the_list_is_narrowed(api: Caller, account: Any, people: People, now: datetime) -> None:
    paused = make_account(people.workspace, now, name="Blog")
    PlatformAccount.objects.filter(pk=paused.pk).update(state="paused", state_reason="Holiday")

    def found(**query: str) -> list[str]:
        return [row["name"] for row in api.get("accounts/", **query).json()["results"]]

    assert found() == ["Blog", "News"]
    assert found(state="paused") == ["Blog"]
    assert found(state="active,paused") == ["Blog", "News"]
    assert found(platform="http") == []


def test_how_an_account_stands_is_part_of_its_answer(api: Caller, people: People, now: datetime) -> None:
    options = {"publish_url": "https://example.com/publish", "app_name": "team", "app_hourly_cap": 3}
    account = make_account(people.workspace, now, platform="http", name="Hook", options=options, daily_cap=9)
    Service.objects.filter(accounts=account).update(
        state="open", failures=5, retry_at=now + timedelta(minutes=1), last_error="No answer."
    )

    shown = api.get(f"accounts/{account.public_id}/").json()

    assert shown["health"] == {
        "state": "service_down",
        "service": "example.com",
        "failures": 5,
        "last_error": "No answer.",
        "next_try_at": "2026-11-23T08:01:00Z",
        "next_try_at_local": "2026-11-23T09:01:00+01:00",
        "not_before_at": None,
        "not_before_at_local": None,
    }
    assert shown["budgets"] == [
        {"scope": "account", "name": "day", "capacity": 9, "period_seconds": 86400.0, "left": 9},
        {"scope": "app", "name": "hour", "capacity": 3, "period_seconds": 3600.0, "left": 3},
    ]
    assert (shown["sign_in"]["renewal"], shown["forecast"]) == ("", [])


def test_the_forecast_is_in_words_and_figures(api: Caller, account: Any, people: People, now: datetime) -> None:
    make_schedule(people.workspace, [account], now, start_local=(now + timedelta(hours=2)).replace(tzinfo=None))
    PlatformAccount.objects.filter(pk=account.pk).update(state="needs_auth")

    [row] = api.get("accounts/").json()["results"]

    assert row["forecast"] == [
        {
            "kind": "sign_in",
            "count": 1,
            "until": "2026-11-23T10:00:00Z",
            "until_local": "2026-11-23T11:00:00+01:00",
            "words": "1 post today will wait: sign in again.",
        }
    ]
