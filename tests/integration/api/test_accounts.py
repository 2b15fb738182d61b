"""Accounts: what is shown of them, and that nothing secret is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from platforms.models import PlatformAccount
from tests.integration.api.callers import Caller
from tests.people import People, make_account


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
