"""Where an account's API is, and how its requests are signed. Without tweepy, which costs a process a sixth of a second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

API_URL = "https://api.x.com"


def base_of(options: Mapping[str, Any]) -> str:
    return str(options.get("api_url") or API_URL).rstrip("/")


def signs_with_keys(credentials: Mapping[str, str]) -> bool:
    """OAuth 1.0a rather than OAuth 2?"""
    return all(credentials.get(name) for name in ("api_key", "api_key_secret", "access_token", "access_token_secret"))
