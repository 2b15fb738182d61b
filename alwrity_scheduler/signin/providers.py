"""The OpenID providers of `SIGNIN_OIDC`, as the library wants them. Read by the settings: no Django here."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

NEEDED = ("id", "name", "server", "client_id", "client_secret")
# what may stand beside: trust_addresses says that every address of this provider is confirmed, though it does not say so
OPTIONAL = ("trust_addresses",)
_ID = re.compile(r"^[a-z0-9-]{1,40}$")


class ProvidersUnusable(Exception):
    """SIGNIN_OIDC cannot be read, or names a provider by halves."""


def read(text: str) -> list[dict[str, Any]]:
    """The providers as the library's apps, in the order given. Raises ProvidersUnusable, which says what to write.

    text: a JSON array of objects with id (in the address of the callback), name (on the button), server (the issuer, or the
    address of its discovery document), client_id and client_secret; trust_addresses (true or false) may stand beside.
    """
    if not text.strip():
        return []
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ProvidersUnusable(f"SIGNIN_OIDC is no JSON: {error}") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ProvidersUnusable('SIGNIN_OIDC must be a JSON array of objects, like [{"id": "company", …}].')
    apps = [_app(one) for one in found]
    ids = [app["provider_id"] for app in apps]
    if len(ids) != len(set(ids)):
        raise ProvidersUnusable("Two providers of SIGNIN_OIDC have the same id.")
    return apps


def _app(one: dict[str, Any]) -> dict[str, Any]:
    name = str(one.get("id") or "one without an id")
    missing = [key for key in NEEDED if not isinstance(one.get(key), str) or not one[key].strip()]
    if missing:
        raise ProvidersUnusable(f"The provider {name} of SIGNIN_OIDC lacks {', '.join(missing)}.")
    unknown = sorted(one.keys() - {*NEEDED, *OPTIONAL})
    if unknown:
        raise ProvidersUnusable(
            f"The provider {name} of SIGNIN_OIDC has the unknown {', '.join(unknown)}; "
            f"it takes {', '.join(NEEDED + OPTIONAL)}."
        )
    if not _ID.match(one["id"]):
        raise ProvidersUnusable(f"The id {name} of SIGNIN_OIDC may hold small letters, digits and hyphens only.")
    if urlsplit(one["server"]).scheme not in ("http", "https"):
        raise ProvidersUnusable(f"The server of {name} in SIGNIN_OIDC must begin with https:// or http://.")
    if not isinstance(one.get("trust_addresses", False), bool):
        raise ProvidersUnusable(f"trust_addresses of {name} in SIGNIN_OIDC must be true or false.")
    return {
        "provider_id": one["id"],
        "name": one["name"],
        "client_id": one["client_id"],
        "secret": one["client_secret"],
        "settings": {"server_url": one["server"].rstrip("/"), "verified_email": one.get("trust_addresses", False)},
    }
