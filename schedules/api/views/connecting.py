"""What can be connected, where people sign in, and how an account stands: its limits, its health, what it takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.base import SignsIn
from platforms.models import PlatformAccount, PlatformApp
from platforms.registry import adapters
from platforms.services import apps, signin
from platforms.services.refs import account_ref
from schedules.api.problems import renamed
from schedules.api.serializers.accounts import AccountLimits as LimitsShown
from schedules.api.serializers.accounts import AccountOfLate, account_words, standing_words
from schedules.api.serializers.platforms import AccountAbilities as AbilitiesShown
from schedules.api.serializers.platforms import (
    PlatformsShown,
    SignInAddress,
    SignInStart,
    WholePlatform,
    ability_words,
    checked_settings,
    nobody,
    platform_words,
    whole_words,
)
from schedules.api.serializers.shapes import Input, both
from schedules.api.views.accounts import adapter_of
from schedules.api.views.asked import AskedDoor
from schedules.api.views.door import Door
from schedules.models import Job
from schedules.reads.account_health import records
from schedules.reads.standing import Standing, standings


class OfWorkspace(Input):
    workspace = serializers.CharField(required=False, default=None, max_length=100)


def _ready(workspace: Workspace | None) -> set[str]:
    """The platforms at which people can sign in as things are."""
    there = {item.key for item in apps.sign_in_platforms() if item.is_ready}
    if workspace is not None:
        there |= set(PlatformApp.objects.filter(workspace=workspace).values_list("platform", flat=True))
    return there


class _Platforms(AskedDoor):
    area: ClassVar[str] = "accounts"
    asked: ClassVar[type[Input]] = OfWorkspace

    def ready(self) -> set[str]:
        """Of the named workspace, or of the only one there is; without one, what the installation brings."""
        named = self.query()["workspace"]
        if named:
            return _ready(self.workspace_of(named))
        rooms = list(Workspace.objects.visible_to(self.request.user).order_by("id")[:2])
        return _ready(rooms[0] if len(rooms) == 1 else None)


class Platforms(_Platforms):
    """The platforms that can be connected, with the fields of their forms."""

    answers: ClassVar[dict[str, Any]] = {"get": PlatformsShown}

    def get(self, request: Request) -> Response:
        ready = self.ready()
        rows = sorted(adapters.items(), key=lambda item: item[1].label.lower())
        return Response({"results": [platform_words(adapter, ready=key in ready) for key, adapter in rows]})


class PlatformDetail(_Platforms):
    """One platform, with what its accounts take, what can be done there, and its own limits."""

    answers: ClassVar[dict[str, Any]] = {"get": WholePlatform}

    def get(self, request: Request, kind: str) -> Response:
        adapter = adapters.get(kind)
        if adapter is None:
            raise Http404
        return Response(whole_words(adapter, nobody(kind), ready=kind in self.ready()))


class SignIn(Door):
    """POST: the address at which a person signs in at the platform.

    The sign-in belongs to the person who begins it and to their browser. Asked for by a signed-in browser it is the platform's own
    address; by a token or an app, which are nobody's browser, it is the page of ours where a person begins.
    """

    area: ClassVar[str] = "accounts"
    answers: ClassVar[dict[str, Any]] = {"post": SignInAddress}
    reaches_out: ClassVar[bool] = True

    def post(self, request: Request) -> Response:
        given = self.read(SignInStart)
        workspace = self.workspace_of(given.get("workspace"))
        again = self._again(given.get("account"), given["platform"])
        workspace = again.workspace if again else workspace
        self.require(Action.ACCOUNTS, workspace)
        platform = adapter_of(given["platform"])
        if not isinstance(platform, SignsIn):
            words = f"Nobody signs in at {platform.label}: POST its keys to /api/v1/accounts/."
            raise Refused(Problem(field="platform", message=words, code="takes_keys"))
        adapter: Any = platform
        checked_settings(adapter, options=given["options"], credentials=None)
        browser = self._browser()
        if not browser or self.person is None:
            page = reverse("web:account_signin", args=[given["platform"]])
            mark = f"?account={again.public_id}" if again else ""
            words = "A person has to finish this: open the address in a browser that is signed in here."
            url = f"{settings.PUBLIC_URL}{page}{mark}"
            return Response({"url": url, "finished_by": "person", "message": words})
        options = {**(again.options if again else {}), **given["options"]}
        with renamed(lambda problem: self._named(problem, adapter)):
            url = signin.start(
                workspace=workspace,
                platform=given["platform"],
                options={name: options[name] for name in adapter.sign_in_fields if name in options},
                person=self.person,
                browser=browser,
                account=again,
                actor=self.actor,
                now=self.now,
            )
        words = "Open the address in this same browser within ten minutes."
        return Response({"url": url, "finished_by": "browser", "message": words}, headers={"Cache-Control": "no-store"})

    def _again(self, public_id: UUID | None, platform: str) -> PlatformAccount | None:
        if public_id is None:
            return None
        rows = PlatformAccount.objects.visible_to(self.request.user).select_related("workspace")
        row: PlatformAccount = get_object_or_404(rows, public_id=public_id, platform=platform)
        return row

    def _browser(self) -> str:
        """What names the session of the signed-in browser; empty for everybody else. People come back to PUBLIC_URL."""
        is_session = self.request.auth is None and self.person is not None
        if not is_session or self.request.get_host() != urlsplit(settings.PUBLIC_URL).netloc:
            return ""
        return str(self.request.session.session_key or "")

    @staticmethod
    def _named(problem: Problem, adapter: SignsIn) -> Problem:
        field = f"options.{problem.field}" if problem.field in adapter.sign_in_fields else problem.field
        return Problem(field="platform" if field == "sign_in" else field, message=problem.message, code=problem.code)


# ---- how one account stands


class _Account(Door):
    area: ClassVar[str] = "accounts"

    def get_queryset(self) -> QuerySet[Any]:
        return PlatformAccount.objects.visible_to(self.request.user).select_related("workspace", "service", "circuit")

    def standing(self, row: PlatformAccount) -> Standing:
        return standings([row], self.now)[row.pk]


class AccountAbilities(_Account):
    """What this account takes and can do: some platforms tell more of an account than of all of them."""

    answers: ClassVar[dict[str, Any]] = {"get": AbilitiesShown}

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        try:
            reference = account_ref(row)
        except CannotDecrypt:
            # its rules do not hang on its keys
            reference = account_ref(row, {})
        return Response({"account": account_words(row), **ability_words(adapter_of(row.platform), reference)})


class AccountLimits(_Account):
    """Its budgets, what is left of each, and its own pace."""

    answers: ClassVar[dict[str, Any]] = {"get": LimitsShown}

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().defer("credentials")

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        standing = self.standing(row)
        return Response(
            {
                "account": account_words(row),
                "timezone": row.timezone,
                "min_spacing_seconds": row.min_spacing_seconds,
                "hourly_cap": row.hourly_cap,
                "daily_cap": row.daily_cap,
                **both("not_before_at", standing.not_before_at, row.timezone),
                "budgets": [
                    {
                        "scope": item.scope,
                        "name": item.name,
                        "capacity": item.capacity,
                        "period_seconds": item.period_seconds,
                        "used": item.used,
                        "left": item.left,
                        # the last token that is out comes back one period after it was taken
                        **both(
                            "full_by_at",
                            self.now + timedelta(seconds=item.period_seconds) if item.used else None,
                            row.timezone,
                        ),
                    }
                    for item in standing.budgets
                ],
            }
        )


LONGEST_DAYS = 92


class _Days(Input):
    days = serializers.IntegerField(required=False, default=7, min_value=1, max_value=LONGEST_DAYS)


class AccountHealth(_Account, AskedDoor):
    """Does it work, and did it lately? `days` back, seven if nothing is said."""

    answers: ClassVar[dict[str, Any]] = {"get": AccountOfLate}
    asked: ClassVar[type[Input]] = _Days

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().defer("credentials")

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        days = self.query()["days"]
        since = self.now - timedelta(days=days)
        record = records(row.workspace, [row.pk], since=since, until=self.now + timedelta(seconds=1))[row.pk]
        standing = self.standing(row)
        jobs = Job.objects.filter(workspace=row.workspace, account=row)
        last = jobs.filter(state="completed", run_at__gte=since).order_by("-run_at", "-id").first()
        coming = jobs.filter(state="pending").order_by("run_at", "id").first()
        left = None if standing.expires_at is None else max(0, (standing.expires_at - self.now).days)
        return Response(
            {
                "account": account_words(row),
                "timezone": row.timezone,
                "state": row.state,
                "state_reason": row.state_reason,
                "days": days,
                "success_rate": record.success_rate,
                "ended_count": record.ended,
                "published_count": record.states["completed"],
                "failed_count": record.states["failed"],
                "missed_count": record.states["missed"],
                "unconfirmed_count": record.states["unconfirmed"],
                "error_classes": dict(record.errors),
                "delay_p50_seconds": record.delay(0.5),
                "delay_p95_seconds": record.delay(0.95),
                "token_days_left": left,
                "missing_scopes": row.missing_scopes,
                **both("last_published_at", last.finished_at if last else None, row.timezone),
                **both("next_run_at", coming.run_at if coming else None, row.timezone),
                **standing_words(standing, row.timezone),
            }
        )
