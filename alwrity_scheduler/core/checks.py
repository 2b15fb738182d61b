"""System checks of the shared floor: the keys, and what settings need that is not installed. Importing this module registers
them (platforms.apps does)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from alwrity_scheduler.core import retention
from alwrity_scheduler.core.secrets import KeysUnusable, check_keys

OF_SETTINGS = "settings"
# what a process without pages asks of the installation when it starts: loading every page for its checks would take a second
WITHOUT_PAGES = [OF_SETTINGS, Tags.caches, Tags.database, Tags.files, Tags.models, Tags.security]
REMEDY = (
    "Run `manage.py quickstart` once: it writes both keys to keys.env in the data folder. "
    "On a server, set the same SECRET_KEY and ENCRYPTION_KEYS in every process's environment."
)


@register(Tags.security)
def keys_are_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """SECRET_KEY signs sessions and media links, ENCRYPTION_KEYS protects credentials: neither may be empty."""
    found: list[CheckMessage] = []
    try:
        secret = settings.SECRET_KEY
    except ImproperlyConfigured:
        secret = ""
    if not secret:
        found.append(Error("SECRET_KEY is empty.", hint=REMEDY, id="alwrity.E001"))
    if not settings.ENCRYPTION_KEYS:
        found.append(
            Error("ENCRYPTION_KEYS is empty, so no credentials can be stored.", hint=REMEDY, id="alwrity.E002")
        )
        return found
    try:
        check_keys(settings.ENCRYPTION_KEYS)
    except KeysUnusable:
        found.append(
            Error(
                "ENCRYPTION_KEYS holds something that is not a key.",
                hint="Each key is 32 bytes in URL-safe base64 (44 letters), separated by commas. Make one with "
                "`python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'`.",
                id="alwrity.E003",
            )
        )
    return found


@register(OF_SETTINGS)
def kinds_of_retention_are_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A slip in RETENTION_DAYS would leave something kept for longer than was meant."""
    unknown = sorted(set(settings.RETENTION_DAYS) - set(retention.kinds))
    hint = f"Known are: {', '.join(retention.kinds)}."
    return [Error(f"RETENTION_DAYS names {name!r}, which is nothing that is kept.", hint=hint, id="alwrity.E005")
            for name in unknown]  # fmt: skip


@register(OF_SETTINGS)
def storage_is_installed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """MEDIA_S3_BUCKET needs packages that not every installation has."""
    backend = settings.STORAGES["default"]["BACKEND"]
    if not backend.startswith("storages.") or (find_spec("storages") and find_spec("boto3")):
        return []
    hint = "Install the extra `s3` (`uv run --extra s3 …`), or unset MEDIA_S3_BUCKET to keep files in the data folder."
    return [Error("MEDIA_S3_BUCKET is set and the packages for it are not installed.", hint=hint, id="alwrity.E004")]
