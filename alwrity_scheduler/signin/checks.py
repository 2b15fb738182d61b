"""System checks of the sign-in's settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

RULES = ("none", "staff", "owners", "everyone")


def require_mfa(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    if settings.SIGNIN_REQUIRE_MFA in RULES:
        return []
    words = f"SIGNIN_REQUIRE_MFA is {settings.SIGNIN_REQUIRE_MFA!r}."
    return [checks.Error(words, hint=f"Write one of {', '.join(RULES)}.", id="alwrity.E006")]
