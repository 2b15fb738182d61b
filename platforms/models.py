"""Tables of the outside world. Written by `platforms.services` only."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.core.secrets import EncryptedJSONField
from alwrity_scheduler.workspaces.models import ApiToken, Membership, Workspace, validate_timezone
from alwrity_scheduler.workspaces.querysets import VisibleQuerySet
from platforms.querysets import (
    AccountQuerySet,
    AppQuerySet,
    GroupQuerySet,
    MediaManager,
    MediaQuerySet,
    OfAccountQuerySet,
    OfMailingQuerySet,
)


class AccountState(models.TextChoices):
    """Only `active` publishes. `needs_auth` came from the platform, `paused` and `disconnected` from a person."""

    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    NEEDS_AUTH = "needs_auth", "Needs signing in"
    DISCONNECTED = "disconnected", "Disconnected"


class BreakerFields(models.Model):
    """A circuit as a row: see `platforms.circuit`. Abstract."""

    OPEN_STATES: ClassVar[tuple[str, ...]] = ("open", "half_open")

    state = models.CharField(max_length=12, default="closed")
    failures = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        abstract = True


def breaker_constraints(prefix: str) -> list[models.BaseConstraint]:
    return [
        models.CheckConstraint(condition=Q(state__in=("closed", "open", "half_open")), name=f"{prefix}_state"),
        models.CheckConstraint(condition=Q(state="closed") | Q(retry_at__isnull=False), name=f"{prefix}_retry_at"),
    ]


class Service(BreakerFields):
    """What is down together: a platform, or one of its hosts; with its circuit. Made when an account is connected.

    `failed_accounts`: ids of the accounts of the present row of failures.
    """

    key = models.CharField(max_length=300, unique=True)
    label = models.CharField(max_length=255)
    failed_accounts = models.JSONField(default=list)

    class Meta:
        ordering = ["key", "id"]
        constraints = breaker_constraints("service")

    def __str__(self) -> str:
        return f"{self.label}: {self.state}"


class RefreshState(models.TextChoices):
    """Whether the sign-in can be renewed without a person, and how that went last."""

    NONE = "", "Not needed"
    DUE = "due", "Not renewed yet"
    OK = "ok", "Renewed by itself"
    FAILING = "failing", "Renewing fails; tried again"
    REVOKED = "revoked", "Revoked"


class PlatformAccount(models.Model):
    """One place to publish to. Never deleted while posts name it: it is disconnected instead.

    next_slot_at: the earliest next call that keeps `min_spacing_seconds`. not_before_at: until when the platform asked
    us to stay away. A null cap is no cap; caps count calls in any 60 minutes, and in any 24 hours.
    service, app_key and budgets are what the adapter says of the account (`services.placing`), kept here so that an
    admission asks no adapter; no service means that it was not asked yet. refresh_at: when to renew the sign-in next.
    signature, default_hashtags and utm go along with every post. grant_key: accounts of one sign-in share its secrets, so
    that a renewal of one renews all. missing_scopes: rights that the person did not give, by the platform's names.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="accounts")
    platform = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    handle = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    state = models.CharField(max_length=16, choices=AccountState, default=AccountState.ACTIVE, editable=False)
    state_reason = models.CharField(max_length=500, blank=True, default="", editable=False)
    state_changed_at = models.DateTimeField(editable=False)
    credentials = EncryptedJSONField()
    options = models.JSONField(default=dict, blank=True)
    min_spacing_seconds = models.PositiveIntegerField(default=0)
    hourly_cap = models.PositiveIntegerField(null=True, blank=True)
    daily_cap = models.PositiveIntegerField(null=True, blank=True)
    next_slot_at = models.DateTimeField(null=True, blank=True, editable=False)
    not_before_at = models.DateTimeField(null=True, blank=True, editable=False)
    service = models.ForeignKey(Service, models.SET_NULL, null=True, editable=False, related_name="accounts")
    app_key = models.CharField(max_length=200, blank=True, default="", editable=False)
    budgets = models.JSONField(default=list, editable=False)
    credentials_expire_at = models.DateTimeField(null=True, blank=True, editable=False)
    refresh_state = models.CharField(max_length=8, choices=RefreshState, blank=True, default="", editable=False)
    refresh_error = models.CharField(max_length=500, blank=True, default="", editable=False)
    refreshed_at = models.DateTimeField(null=True, blank=True, editable=False)
    refresh_at = models.DateTimeField(null=True, blank=True, editable=False)
    signature = models.CharField(max_length=500, blank=True, default="")
    default_hashtags = models.JSONField(default=list, blank=True)
    utm = models.JSONField(default=dict, blank=True)
    grant_key = models.UUIDField(null=True, blank=True, editable=False)
    missing_scopes = models.JSONField(default=list, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["platform", "name", "id"]
        verbose_name = "platform account"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "platform", "handle"], name="account_handle_once"),
            models.CheckConstraint(condition=Q(state__in=AccountState.values), name="account_state"),
            models.CheckConstraint(condition=Q(hourly_cap=None) | Q(hourly_cap__gt=0), name="account_hourly_cap"),
            models.CheckConstraint(condition=Q(daily_cap=None) | Q(daily_cap__gt=0), name="account_daily_cap"),
        ]
        indexes = [
            # accounts that share an app's quota, to be held back together
            models.Index(fields=["app_key", "id"], name="account_of_app", condition=~Q(app_key="")),
            # sign-ins to be renewed
            models.Index(fields=["refresh_at", "id"], name="account_refresh", condition=Q(refresh_at__isnull=False)),
            # accounts that share one sign-in
            models.Index(fields=["grant_key"], name="account_grant", condition=Q(grant_key__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.platform})"


class AccountGrant(models.Model):
    """An account that a limited member or token sees and uses. Written by `services.grants`; goes with the member or token."""

    account = models.ForeignKey(PlatformAccount, models.CASCADE, related_name="grants")
    membership = models.ForeignKey(Membership, models.CASCADE, null=True, blank=True, related_name="account_grants")
    token = models.ForeignKey(ApiToken, models.CASCADE, null=True, blank=True, related_name="account_grants")

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["membership", "account"], name="account_grant_member_once"),
            models.UniqueConstraint(fields=["token", "account"], name="account_grant_token_once"),
            models.CheckConstraint(
                condition=Q(membership__isnull=False, token=None) | Q(membership=None, token__isnull=False),
                name="account_grant_to_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} for {self.membership or self.token}"


class AccountGroup(models.Model):
    """Accounts that are chosen together. Written by `services.groups`."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="account_groups")
    name = models.CharField(max_length=80)
    accounts = models.ManyToManyField(PlatformAccount, related_name="account_groups", blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = GroupQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="account_group_once")]

    def __str__(self) -> str:
        return self.name


class PlatformApp(models.Model):
    """What a platform knows this installation by when people sign in there (OAuth 2 client). Written by `services.apps`.

    server: for platforms of many servers, which one (as `services.apps.server_of` writes it). `secrets` holds client_secret;
    nothing ever shows it. registered_for: the redirect address of an app that was given out by the server itself, else empty.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="platform_apps")
    platform = models.CharField(max_length=40)
    server = models.CharField(max_length=300, blank=True, default="")
    client_id = models.CharField(max_length=400)
    secrets = EncryptedJSONField()
    options = models.JSONField(default=dict, blank=True)
    registered_for = models.CharField(max_length=500, blank=True, default="", editable=False)
    set_by = models.CharField(max_length=150, blank=True, default="", editable=False)
    set_at = models.DateTimeField(editable=False)

    objects = AppQuerySet.as_manager()

    class Meta:
        ordering = ["platform", "server", "id"]
        verbose_name = "sign-in app"
        constraints = [models.UniqueConstraint(fields=["workspace", "platform", "server"], name="platform_app_once")]

    def __str__(self) -> str:
        return f"{self.platform} {self.server}".strip()


class SignInAttempt(models.Model):
    """One person's way to a platform's sign-in and back. Lives minutes. Written by `services.signin`.

    state_hash and browser are SHA-256 (hex) of the state that was sent and of the session it was sent from. `secrets` holds the
    PKCE verifier and the client's secret, and after the answer what was granted, until the person has chosen. used_at: the
    answer came, and no second one counts.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    browser = models.CharField(max_length=64)
    platform = models.CharField(max_length=40)
    account = models.ForeignKey(PlatformAccount, models.CASCADE, null=True, related_name="+")
    state_hash = models.CharField(max_length=64, unique=True)
    client_id = models.CharField(max_length=400)
    redirect_uri = models.CharField(max_length=500)
    options = models.JSONField(default=dict)
    secrets = EncryptedJSONField()
    missing_scopes = models.JSONField(default=list)
    grant_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = AppQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"sign-in at {self.platform}"


class RateWindow(models.Model):
    """How much of one budget is used: of an account's (`account`), or of one that an app's accounts share (`app_key`).

    `taken` holds [slot start in epoch seconds, count]; `tokens` is what is left.
    """

    account = models.ForeignKey(PlatformAccount, models.CASCADE, null=True, related_name="rate_windows")
    app_key = models.CharField(max_length=200, blank=True, default="")
    name = models.CharField(max_length=40)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField()
    taken = models.JSONField(default=list)
    version = models.PositiveBigIntegerField(default=0)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["account_id", "app_key", "name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="rate_window_once"),
            models.UniqueConstraint(
                fields=["app_key", "name"], name="rate_window_once_an_app", condition=~Q(app_key="")
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=False, app_key="") | Q(account__isnull=True) & ~Q(app_key=""),
                name="rate_window_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.app_key or f'account {self.account_id}'}: {self.tokens:g} left"


class CircuitState(BreakerFields):
    """Whether calls to one account are held back after a row of failures. No row means closed and clean."""

    account = models.OneToOneField(PlatformAccount, models.CASCADE, related_name="circuit")

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["account_id", "id"]
        constraints = breaker_constraints("circuit")

    def __str__(self) -> str:
        return f"circuit of account {self.account_id}: {self.state}"


def media_path(asset: MediaAsset, name: str) -> str:
    """`<workspace>/<asset>.<ext>`: nothing of the uploaded name reaches the file system but its checked ending."""
    return f"{asset.workspace.public_id}/{asset.public_id}.{name.rsplit('.', 1)[-1]}"


class MediaKind(models.TextChoices):
    IMAGE = "image", _("Image")
    VIDEO = "video", _("Video")
    DOCUMENT = "document", _("Document")
    AUDIO = "audio", _("Audio")


class MediaFolder(models.Model):
    """A name under which files are kept. A folder may stand in another one that stands in none: two levels, no more."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="media_folders")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="folders")
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "parent", "name"], name="media_folder_name"),
            models.UniqueConstraint(
                fields=["workspace", "name"], condition=Q(parent__isnull=True), name="media_folder_top_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MediaAsset(models.Model):
    """One stored file, once a workspace (by checksum). `mime` was read from the content, not from the browser.

    width and height are the sides as people see them, turned where the file says so. animated: a GIF, WebP or AVIF that moves.
    details: what else was found, each where it is known: frames, fps, video_codec, audio_codec, pages, poster (a still of a
    video could be made), unread (nothing here could read the video). deleted_at: in the bin, until the tidying duty removes it.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="media")
    file = models.FileField(upload_to=media_path, max_length=200)
    kind = models.CharField(max_length=12, choices=MediaKind)
    mime = models.CharField(max_length=60)
    size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration_seconds = models.FloatField(null=True, blank=True)
    animated = models.BooleanField(default=False)
    details = models.JSONField(default=dict, blank=True)
    folder = models.ForeignKey(MediaFolder, models.SET_NULL, null=True, blank=True, related_name="assets")
    alt_text = models.CharField(max_length=1500, blank=True, default="")
    checksum = models.CharField(max_length=64)
    original_name = models.CharField(max_length=200)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = MediaManager()  # without those in the bin
    every = MediaQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "media file"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "checksum"], name="media_once"),
            models.CheckConstraint(condition=Q(kind__in=MediaKind.values), name="media_kind"),
        ]
        # The library's page: MediaAsset.objects.visible_to(user).order_by("-created_at", "-id")
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="media_newest"),
            # the duty's: MediaAsset.every.filter(deleted_at__lt=…)
            models.Index(fields=["deleted_at"], name="media_bin", condition=Q(deleted_at__isnull=False)),
            # "is this content still anybody's?": asked for each folder of renditions
            models.Index(fields=["checksum"], name="media_checksum"),
        ]

    def __str__(self) -> str:
        return self.original_name

    @property
    def has_thumbnail(self) -> bool:
        return self.kind == MediaKind.IMAGE or bool(self.details.get("poster"))


class Mailing(models.Model):
    """One newsletter on its way to its recipients. `content` is all that its mails are made of; it is emptied when the last one is
    settled. Written by the newsletter adapter's journal only."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    account = models.ForeignKey(PlatformAccount, models.CASCADE, related_name="mailings")
    key = models.CharField(max_length=200)
    content = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="mailing_key_once")]

    def __str__(self) -> str:
        return f"mailing {self.public_id}"


class DeliveryState(models.TextChoices):
    """`sending` stands before the first byte of a mail leaves. Whoever finds it after a crash makes it `unsure`, and that is final:
    nobody who may have the mail is sent it again."""

    PENDING = "pending", "Waiting"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    REFUSED = "refused", "Refused"
    UNSURE = "unsure", "May or may not have it"


class MailDelivery(models.Model):
    """One mail to one recipient. `reply`: the server's last words; `retry_at`: not before this time, after it asked to wait."""

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="deliveries")
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.PENDING)
    tries = models.PositiveIntegerField(default=0)
    reply = models.CharField(max_length=500, blank=True, default="")
    retry_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    objects = OfMailingQuerySet.as_manager()

    class Meta:
        ordering = ["mailing_id", "id"]
        verbose_name_plural = "mail deliveries"
        constraints = [
            models.UniqueConstraint(fields=["mailing", "address"], name="delivery_once"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state"),
        ]
        # who is still to be sent it: MailDelivery.objects.filter(mailing=…, state="pending").order_by("id")
        indexes = [models.Index(fields=["mailing", "state", "id"], name="delivery_waiting")]

    def __str__(self) -> str:
        return f"{self.address}: {self.state}"
