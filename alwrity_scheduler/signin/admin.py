"""What administrators see of how people sign in. The library's own pages would show seeds and take secrets in the clear."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import QuerySet
from django.http import HttpRequest

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.looking import LookOnlyAdmin
from alwrity_scheduler.signin import services
from alwrity_scheduler.workspaces.access import actor_of

for model in (EmailAddress, EmailConfirmation, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    try:
        admin.site.unregister(model)
    except NotRegistered:
        pass  # which of them the library registers depends on its settings


class _OnlySeen(LookOnlyAdmin):
    """Rows of the library: looked through here, changed by the person they belong to. Superusers only."""

    list_select_related = ["user"]
    search_fields = ["user__username"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


@admin.register(Authenticator)
class AuthenticatorAdmin(_OnlySeen):
    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    date_hierarchy = "created_at"
    fields = ["user", "type", "created_at", "last_used_at"]
    actions = ["forget"]

    @admin.action(description="Take all second steps of these people away, and sign them out", permissions=["view"])
    def forget(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        people = {row.user_id: row.user for row in rows.select_related("user")}
        for person in people.values():
            services.forget_second_factors(person=person, actor=actor_of(request), now=clock.now())
        self.message_user(request, f"Taken away: the second steps of {len(people)}.")


@admin.register(UserSession)
class SessionAdmin(_OnlySeen):
    list_display = ["user", "ip", "created_at", "last_seen_at"]
    date_hierarchy = "last_seen_at"
    fields = ["user", "ip", "user_agent", "created_at", "last_seen_at"]
    actions = ["end"]

    @admin.action(description="End the selected sessions", permissions=["view"])
    def end(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        count = 0
        for row in rows:
            row.end()
            count += 1
        self.message_user(request, f"Ended: {count}.")


@admin.register(EmailAddress)
class AddressAdmin(_OnlySeen):
    list_display = ["email", "user", "verified", "primary"]
    list_filter = ["verified", "primary"]
    search_fields = ["email", "user__username"]


@admin.register(SocialAccount)
class LinkedLoginAdmin(_OnlySeen):
    list_display = ["user", "provider", "last_login", "date_joined"]
    list_filter = ["provider"]
    date_hierarchy = "date_joined"
    fields = ["user", "provider", "uid", "last_login", "date_joined"]
