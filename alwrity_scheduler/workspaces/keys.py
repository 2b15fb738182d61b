"""Secrets that are shown once and kept as their SHA-256: those of tokens and of invitations."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_PREFIX = "alw_"  # noqa: S105 - a public prefix, so that leaked tokens can be recognised


def digest(secret: str) -> str:
    """SHA-256 in hex. The secrets carry 256 random bits, so a slow password hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_link() -> str:
    return secrets.token_urlsafe(32)
