"""Renewing an access token at the account's own token address (RFC 6749 section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platforms.base import SettingsProblem
from platforms.contracts import AccountRef, Refreshed
from platforms.oauth2 import token_request


def can_refresh(account: AccountRef) -> bool:
    return bool(account.options.get("token_url") and account.credentials.get("refresh_token"))


def problems(options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
    found: list[SettingsProblem] = []
    if credentials.get("refresh_token") and not options.get("token_url"):
        found.append(("token_url", "Write the address at which the refresh token is used."))
    if options.get("token_url") and not str(options.get("client_id") or "").strip():
        found.append(("client_id", "Write the client id that the token address knows you by."))
    return found


def refresh(account: AccountRef, *, timeout: float) -> Refreshed:
    """One POST of grant_type=refresh_token. The client's secret goes as HTTP Basic (RFC 6749 section 2.3.1)."""
    tokens = token_request(
        str(account.options.get("token_url") or ""),
        {"grant_type": "refresh_token", "refresh_token": account.credentials.get("refresh_token", "")},
        client_id=str(account.options.get("client_id") or ""),
        client_secret=account.credentials.get("client_secret", ""),
        timeout=timeout,
    )
    given = {"bearer_token": tokens.access_token}
    if tokens.refresh_token:
        given["refresh_token"] = tokens.refresh_token
    return Refreshed(credentials=given, expires_at=tokens.expires_at)
