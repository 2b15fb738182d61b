"""Tables of the OAuth 2.0 provider: apps of others, what people allowed them, and the digests of their codes and tokens.

The toolkit's own tables are swapped for these (`OAUTH2_PROVIDER_*_MODEL`). Apps and permissions are written by
`oauth.services`, codes and tokens by the toolkit through `oauth.validator`. No code, token or secret stands here in clear.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractDeviceGrant,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.oauth.querysets import AccessTokenQuerySet, AppQuerySet, PermissionQuerySet


class App(AbstractApplication):
    """Somebody's program that may ask people to let it act for them. Belongs to the workspace that registered it; lives until a
    person of that workspace deletes it. `client_secret` holds the SHA-256 of the secret, nothing for a public app.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("workspaces.Workspace", models.CASCADE, related_name="apps")
    website = models.URLField(max_length=300, blank=True, default="")
    secret_prefix = models.CharField(max_length=12, blank=True, default="", editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1)
    # the toolkit's owner, whose removal would take the app along
    user = None

    objects: ClassVar[Any] = AppQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(authorization_grant_type=AbstractApplication.GRANT_AUTHORIZATION_CODE, algorithm=""),
                name="app_only_authorization_code",
            ),
            models.CheckConstraint(condition=Q(skip_authorization=False), name="app_always_asks"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_usable(self, request: Any) -> bool:
        """Asked by the toolkit before each step of the protocol."""
        return self.disabled_at is None

    def get_allowed_schemes(self) -> list[str]:
        """`http` only for loopback, which `services` checks when addresses are entered (RFC 8252 section 7.3)."""
        return ["https", "http"]


class Permission(models.Model):
    """One person lets one app act for them in one workspace, within scopes. Revoking removes the row, and with it every code and
    token that stands on it.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    app = models.ForeignKey(App, models.CASCADE, related_name="permissions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="app_permissions")
    workspace = models.ForeignKey("workspaces.Workspace", models.CASCADE, related_name="app_permissions")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = PermissionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["app", "user", "workspace"], name="app_permission_once")]

    def __str__(self) -> str:
        return f"{self.user} to {self.app} in {self.workspace}"


class Code(AbstractGrant):
    """An authorization code: `code` holds its SHA-256. Goes when it is used, or when it has run out."""

    permission = models.ForeignKey(Permission, models.CASCADE, related_name="+")

    class Meta(AbstractGrant.Meta):
        abstract = False


class AccessToken(AbstractAccessToken):
    """`token` stays empty (RFC 9700 storage), `token_checksum` holds the SHA-256. Goes with its refresh, or having run out."""

    permission = models.ForeignKey(Permission, models.CASCADE, related_name="+")
    id_token = None

    objects: ClassVar[Any] = AccessTokenQuerySet.as_manager()

    class Meta(AbstractAccessToken.Meta):
        abstract = False
        constraints = [models.CheckConstraint(condition=Q(token=""), name="app_access_token_not_in_clear")]


class RefreshToken(AbstractRefreshToken):
    """Used once: each refresh ends it and makes the next of its family. A second use ends the family. `code_digest` names the code
    that the family came from, so that a second use of the code ends it too (RFC 6749 section 4.1.2)."""

    permission = models.ForeignKey(Permission, models.CASCADE, related_name="+")
    code_digest = models.CharField(max_length=64, blank=True, default="")

    class Meta(AbstractRefreshToken.Meta):
        abstract = False
        constraints = [models.CheckConstraint(condition=Q(token=""), name="app_refresh_token_not_in_clear")]
        indexes = [
            *AbstractRefreshToken.Meta.indexes,
            # validator: the families of a code that is shown a second time
            models.Index(fields=["code_digest"], condition=~Q(code_digest=""), name="refresh_of_code"),
        ]


class IdToken(AbstractIDToken):
    """Stays empty: OpenID Connect is off. The toolkit looks here when a person is removed."""

    class Meta(AbstractIDToken.Meta):
        abstract = False


class DeviceCode(AbstractDeviceGrant):
    """Stays empty: the device flow is off. The toolkit looks here when a person is removed."""

    class Meta(AbstractDeviceGrant.Meta):
        abstract = False
