"""The admin of accounts and media. Credentials can be written here and never be read; each action is one service call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.looking import LookOnlyAdmin
from alwrity_scheduler.workspaces.access import actor_of, can
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import (
    AccountGroup,
    CircuitState,
    MediaAsset,
    MediaFolder,
    PlatformAccount,
    PlatformApp,
    RateWindow,
)
from platforms.registry import adapters
from platforms.services import accounts, apps, media


class VisibleFilter(admin.RelatedFieldListFilter):
    """Offers only what this person may see: Django's own filter would list every workspace by name."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        rows = field.remote_field.model.objects.visible_to(request.user)
        return [(row.pk, str(row)) for row in rows]


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """`new_credentials` is write-only: what it holds is stored and never shown; empty leaves the secrets alone."""

    new_credentials = forms.JSONField(
        required=False,
        help_text='New secrets as JSON, like {"bearer_token": "…"}. What is stored is never shown; empty leaves it as it is.',
    )

    class Meta:
        model = PlatformAccount
        fields = ("workspace", "platform", *accounts.CHANGEABLE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "platform" in self.fields:
            self.fields["platform"] = forms.ChoiceField(
                choices=[(key, adapter.label) for key, adapter in adapters.items()]
            )

    def clean_new_credentials(self) -> dict[str, str]:
        value = self.cleaned_data["new_credentials"] or {}
        if not isinstance(value, dict) or not all(isinstance(secret, str) for secret in value.values()):
            raise forms.ValidationError("Write a JSON object of names and texts.")
        return value

    def clean(self) -> dict[str, Any]:
        """What the adapter says about the settings, before anything is saved."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stored = self.instance.credentials if self.instance.pk and self.instance.credentials.is_readable() else {}
        secrets = {**stored, **(cleaned.get("new_credentials") or {})}
        adapter = adapters.get(cleaned.get("platform") or self.instance.platform)
        for name, message in adapter.check_settings(cleaned.get("options") or {}, secrets) if adapter else ():
            self.add_error("options" if "options" in self.fields else None, f"{name}: {message}")
        return cleaned


@admin.register(PlatformAccount)
class PlatformAccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = AccountForm
    list_display = ("name", "platform", "handle", "workspace", "state", "is_loadable", "state_changed_at")
    list_filter = ("platform", "state", ("workspace", VisibleFilter))
    list_select_related = ("workspace",)
    search_fields = ("name", "handle", "public_id")
    date_hierarchy = "created_at"
    actions = ("pause", "resume", "test_connection")
    readonly_fields = (
        "public_id",
        "state",
        "state_reason",
        "state_changed_at",
        "next_slot_at",
        "not_before_at",
        "service",
        "app_key",
        "credentials_expire_at",
        "refresh_state",
        "refresh_error",
        "refreshed_at",
        "version",
        "created_at",
        "updated_at",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return PlatformAccount.objects.visible_to(request.user).select_related("workspace")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = db_field.remote_field.model.objects.visible_to(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: PlatformAccount | None = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "workspace", "platform")

    @admin.display(description="adapter", boolean=True)
    def is_loadable(self, account: PlatformAccount) -> bool:
        return account.platform in adapters

    def has_change_permission(self, request: HttpRequest, obj: PlatformAccount | None = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or can(request.user, Action.ACCOUNTS, obj.workspace))

    def has_delete_permission(self, request: HttpRequest, obj: PlatformAccount | None = None) -> bool:
        return False  # an account with a history is disconnected, never deleted

    def save_model(self, request: HttpRequest, obj: PlatformAccount, form: Any, change: bool) -> None:
        if not can(request.user, Action.ACCOUNTS, obj.workspace):
            raise PermissionDenied
        if change:
            self._update(request, obj, form)
        else:
            self._connect(request, obj, form)

    def _update(self, request: HttpRequest, obj: PlatformAccount, form: Any) -> None:
        changes = {name: form.cleaned_data[name] for name in accounts.CHANGEABLE if name in form.changed_data}
        accounts.update_settings(account=obj, changes=changes, actor=actor_of(request), now=clock.now())
        accounts.set_credentials(
            account=obj,
            credentials=form.cleaned_data["new_credentials"],
            actor=actor_of(request),
            now=clock.now(),
        )

    def _connect(self, request: HttpRequest, obj: PlatformAccount, form: Any) -> None:
        given = form.cleaned_data["new_credentials"]
        made = accounts.connect(
            workspace=obj.workspace,
            platform=obj.platform,
            name=obj.name,
            handle=obj.handle,
            timezone=obj.timezone,
            credentials=given,
            options=obj.options,
            actor=actor_of(request),
            now=clock.now(),
        )
        obj.pk, obj.public_id = made.pk, made.public_id
        more = {name: form.cleaned_data[name] for name in accounts.CHANGEABLE[4:] if form.cleaned_data.get(name)}
        if more:
            accounts.update_settings(account=made, changes=more, actor=actor_of(request), now=clock.now())
        for name, secret in accounts.generated(made, given).items():
            self.message_user(request, f"{name}, shown this once: {secret}", messages.WARNING)

    @admin.action(description="Pause the selected accounts", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: Any) -> None:
        self._each(
            request,
            queryset,
            lambda account: accounts.pause(account=account, actor=actor_of(request), now=clock.now()),
        )

    @admin.action(description="Resume the selected accounts", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        self._each(
            request,
            queryset,
            lambda account: accounts.resume(account=account, actor=actor_of(request), now=clock.now()),
        )

    @admin.action(description="Test the connection", permissions=["change"])
    def test_connection(self, request: HttpRequest, queryset: Any) -> None:
        for account in queryset:
            health = accounts.put_to_the_test(account=account, actor=actor_of(request), now=clock.now())
            self.message_user(
                request,
                f"{account.name}: {accounts.health_words(health)}",
                messages.SUCCESS if health.ok else messages.ERROR,
            )

    def _each(self, request: HttpRequest, queryset: Any, call: Callable[[PlatformAccount], object]) -> None:
        for account in queryset:
            if not can(request.user, Action.ACCOUNTS, account.workspace):
                self.message_user(request, f"{account.name}: your role may not do this.", messages.ERROR)
                continue
            try:
                call(account)
            except Refused as error:
                self.message_user(request, f"{account.name}: {error.problems[0].message}", messages.ERROR)


@admin.register(MediaAsset)
class MediaAssetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Files are uploaded in the product; here they can be looked at and described."""

    list_display = ("preview", "original_name", "kind", "mime", "size", "workspace", "created_at")
    list_display_links = ("original_name",)
    list_filter = ("kind", "mime", ("workspace", VisibleFilter))
    list_select_related = ("workspace", "folder")
    search_fields = ("original_name", "alt_text", "checksum")
    date_hierarchy = "created_at"
    fields = (
        "preview",
        "alt_text",
        "original_name",
        "kind",
        "mime",
        "size",
        "width",
        "height",
        "duration_seconds",
        "animated",
        "details",
        "folder",
        "checksum",
        "workspace",
        "created_by",
        "created_at",
    )
    readonly_fields = tuple(name for name in fields if name != "alt_text")

    def get_queryset(self, request: HttpRequest) -> Any:
        return MediaAsset.objects.visible_to(request.user).select_related("workspace")

    @admin.display(description="preview")
    def preview(self, asset: MediaAsset) -> SafeString:
        small = media.thumbnail_path_of(asset)
        if not small:
            return format_html('<a href="{}">{}</a>', media.media_path_of(asset), asset.get_kind_display())
        return format_html('<img src="{}" alt="{}" width="96" loading="lazy">', small, asset.alt_text)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MediaAsset | None = None) -> bool:
        return False  # deleted in the library, which knows what uses it and can bring it back

    def save_model(self, request: HttpRequest, obj: MediaAsset, form: Any, change: bool) -> None:
        media.set_alt_text(asset=obj, alt_text=form.cleaned_data["alt_text"], actor=actor_of(request), now=clock.now())


class AppForm(forms.ModelForm):  # type: ignore[type-arg]
    """`new_secret` is write-only."""

    new_secret = forms.CharField(
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text="What is stored is never shown; empty leaves it as it is.",
    )

    class Meta:
        model = PlatformApp
        fields = ("workspace", "platform", "server", "client_id")

    def clean(self) -> dict[str, Any]:
        """Nobody signs in at some platforms."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        known = {item.key for item in apps.sign_in_platforms()}
        if (platform := cleaned.get("platform", self.instance.platform)) not in known:
            self.add_error("platform" if "platform" in self.fields else None, f"Nobody signs in at {platform!r}.")
        return cleaned


@admin.register(PlatformApp)
class PlatformAppAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = AppForm
    list_display = ("platform", "server", "client_id", "workspace", "has_secret", "set_by", "set_at")
    list_filter = ("platform", ("workspace", VisibleFilter))
    list_select_related = ("workspace",)
    search_fields = ("platform", "server", "client_id")
    readonly_fields = ("public_id", "registered_for", "set_by", "set_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return PlatformApp.objects.visible_to(request.user).select_related("workspace")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = db_field.remote_field.model.objects.visible_to(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: PlatformApp | None = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "workspace", "platform", "server")

    @admin.display(description="secret", boolean=True)
    def has_secret(self, app: PlatformApp) -> bool:
        return bool(app.secrets)

    def has_change_permission(self, request: HttpRequest, obj: PlatformApp | None = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or can(request.user, Action.ACCOUNTS, obj.workspace))

    def has_delete_permission(self, request: HttpRequest, obj: PlatformApp | None = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or can(request.user, Action.ACCOUNTS, obj.workspace))

    def save_model(self, request: HttpRequest, obj: PlatformApp, form: Any, change: bool) -> None:
        if not can(request.user, Action.ACCOUNTS, obj.workspace):
            raise PermissionDenied
        made = apps.save(
            workspace=obj.workspace,
            platform=obj.platform,
            server=obj.server,
            client_id=form.cleaned_data["client_id"],
            client_secret=form.cleaned_data["new_secret"],
            actor=actor_of(request),
            now=clock.now(),
        )
        obj.pk, obj.public_id = made.pk, made.public_id

    def delete_model(self, request: HttpRequest, obj: PlatformApp) -> None:
        apps.remove(app=obj, actor=actor_of(request), now=clock.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)


@admin.register(AccountGroup)
class AccountGroupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Groups are made and filled in the product; here they can be looked at."""

    list_display = ("name", "workspace", "created_at")
    list_filter = (("workspace", VisibleFilter),)
    list_select_related = ("workspace",)
    search_fields = ("name",)
    fields = ("name", "workspace", "accounts", "created_at", "updated_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return AccountGroup.objects.visible_to(request.user).select_related("workspace")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MediaFolder)
class MediaFolderAdmin(LookOnlyAdmin):
    """Folders are made, moved and removed in the library."""

    list_display = ("name", "parent", "workspace", "created_at")
    list_filter = (("workspace", VisibleFilter),)
    list_select_related = ("parent", "workspace")
    search_fields = ("name", "public_id")
    readonly_fields = ("public_id", "name", "parent", "workspace", "created_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return MediaFolder.objects.visible_to(request.user).select_related("parent", "workspace")


class ReadOnlyAdmin(LookOnlyAdmin):
    list_select_related = ("account",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return self.model.objects.visible_to(request.user).select_related("account")


@admin.register(RateWindow)
class RateWindowAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account", "app_key", "name", "tokens", "refilled_at")
    list_filter = ("name",)
    search_fields = ("account__name", "account__handle")


@admin.register(CircuitState)
class CircuitStateAdmin(ReadOnlyAdmin):
    list_display = ("account", "state", "failures", "opened_at", "retry_at", "last_error")
    list_filter = ("state",)
    search_fields = ("account__name", "account__handle", "last_error")
