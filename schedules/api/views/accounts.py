"""Accounts, groups of accounts, sign-in apps.

No secret comes out but one that we made ourselves, once, when its account was connected; those of accounts are not even loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.workspaces.roles import Action
from platforms.base import Adapter, SignsIn
from platforms.errors import AdapterMissing
from platforms.models import AccountGroup, PlatformAccount, PlatformApp
from platforms.registry import adapter_for
from platforms.services import accounts as account_service
from platforms.services import apps as app_service
from platforms.services import groups as group_service
from schedules.api.problems import renamed
from schedules.api.serializers.accounts import (
    AccountAnswer,
    AccountChange,
    AppAnswer,
    AppInput,
    ConnectionTest,
    GroupAnswer,
    GroupChange,
    GroupInput,
    health_words,
)
from schedules.api.serializers.platforms import NewAccount, NewCredentials, checked_settings, defaulted, named_as_sent
from schedules.api.views.door import Door, Row, Rows, Verb, VerbDoor
from schedules.filters import AccountFilter, AppFilter, GroupFilter
from schedules.reads.standing import standings
from schedules.services import probing


class _Accounts(Door):
    serializer_class = AccountAnswer

    def get_queryset(self) -> QuerySet[Any]:
        visible = PlatformAccount.objects.visible_to(self.request.user).prefetch_related("account_groups")
        return visible.select_related("workspace", "service", "circuit").defer("credentials")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """How the accounts stand is asked for all that are shown at once."""
        rows = list(args[0]) if kwargs.get("many") else [args[0]]
        context = {**self.get_serializer_context(), "standings": standings(rows, self.now)}
        return super().get_serializer(*args, **{**kwargs, "context": context})


AFTERWARDS = ("min_spacing_seconds", "hourly_cap", "daily_cap", "signature", "default_hashtags", "utm")


def adapter_of(platform: str) -> Adapter:
    """Refused where there is none."""
    try:
        return adapter_for(platform)
    except AdapterMissing as error:
        raise Refused(Problem(field="platform", message=str(error), code="adapter_missing")) from None


class AccountList(_Accounts, Rows):
    area: ClassVar[str] = "accounts"
    filterset_class: ClassVar[Any] = AccountFilter

    def post(self, request: Request) -> Response:
        """Connect an account whose platform takes keys. `secrets` of the answer are those that were made here: shown this once."""
        given = self.read(NewAccount)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.ACCOUNTS, workspace)
        adapter = adapter_of(given["platform"])
        if isinstance(adapter, SignsIn) and not adapter.credential_fields:
            words = f"People sign in at {adapter.label}: POST to /api/v1/accounts/sign-in/ says where."
            raise Refused(Problem(field="platform", message=words, code="signs_in"))
        secrets: dict[str, str] = given["credentials"]
        checked_settings(adapter, options=given.get("options"), credentials=secrets)
        with renamed(named_as_sent(adapter)), unit():
            made = account_service.connect(
                workspace=workspace,
                platform=given["platform"],
                name=given["name"],
                handle=given["handle"],
                timezone=given.get("timezone") or workspace.timezone,
                credentials=secrets,
                options=defaulted(adapter, given.get("options") or {}),
                actor=self.actor,
                now=self.now,
            )
            fresh = account_service.generated(made, secrets)
            if more := {name: given[name] for name in AFTERWARDS if given.get(name)}:
                account_service.update_settings(account=made, changes=more, actor=self.actor, now=self.now)
        where = reverse("api:account", args=[made.public_id])
        answer = self.answer(self.find(made.public_id), status=201, headers={"Location": where})
        answer.data["secrets"] = fresh
        answer.headers["Cache-Control"] = "no-store"
        return answer


class AccountDetail(_Accounts, Row):
    area: ClassVar[str] = "accounts"

    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change what is given: names, zone, options, limits, and what goes along with every post."""
        row = self.find(public_id)
        self.require(Action.ACCOUNTS, row.workspace)
        changes = self.read(AccountChange, instance=row)
        version = changes.pop("version")
        if "options" not in changes:
            return self._changed(row, changes, version)
        adapter = adapter_of(row.platform)
        checked_settings(adapter, options=changes["options"], credentials=None)
        # what no field shows (what a sign-in brought) stays; a null takes an option away
        whole = {**row.options, **changes["options"]}
        changes["options"] = {name: value for name, value in whole.items() if value not in (None, "")}
        with renamed(named_as_sent(adapter)):
            return self._changed(row, changes, version)

    def _changed(self, row: PlatformAccount, changes: Mapping[str, Any], version: int) -> Response:
        account_service.update_settings(account=row, changes=changes, version=version, actor=self.actor, now=self.now)
        return self.answer(self.find(row.public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        """Disconnect it: its credentials are forgotten, its posts wait, its history stays."""
        row = self.find(public_id)
        self.require(Action.ACCOUNTS, row.workspace)
        account_service.disconnect(account=row, actor=self.actor, now=self.now)
        return Response(status=204)


class AccountCredentials(_Accounts):
    """PATCH: other secrets. They go in and never come out; an account that waited for them goes to work again."""

    area: ClassVar[str] = "accounts"

    def patch(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.ACCOUNTS, row.workspace)
        given = self.read(NewCredentials)
        adapter = adapter_of(row.platform)
        checked_settings(adapter, options=None, credentials=given["credentials"])
        with renamed(named_as_sent(adapter)), unit():
            row = account_service.set_credentials(
                account=row, credentials=given["credentials"], actor=self.actor, now=self.now
            )
            if row.state in ("needs_auth", "disconnected") and any(given["credentials"].values()):
                account_service.reconnect(account=row, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))


VERBS = ("test", "pause", "resume", "try-now")


class AccountVerb(_Accounts, VerbDoor):
    """`test` asks the platform now and posts nothing; the others answer with the account. `try-now` ends the wait for a platform
    that did not answer, or for a sign-in that could not be renewed."""

    words: ClassVar[dict[str, str]] = {
        "test": "Ask the platform whether it would publish, and as whom. It posts nothing.",
        "pause": "Nothing is published on the account until it is resumed.",
        "resume": "Publish on the account again.",
    }
    answers: ClassVar[dict[str, Any]] = {"test": ConnectionTest}
    area: ClassVar[str] = "accounts"
    action: ClassVar[Action] = Action.ACCOUNTS
    reaching: ClassVar[frozenset[str]] = frozenset({"test"})

    def act(self, row: PlatformAccount, given: dict[str, Any]) -> Response:
        if self.verb == "test":
            return Response(health_words(account_service.put_to_the_test(account=row, actor=self.actor, now=self.now)))
        verbs: dict[str, Verb] = {
            "pause": account_service.pause,
            "resume": account_service.resume,
            "try-now": probing.try_now,
        }
        verbs[self.verb](account=row, actor=self.actor, now=self.now)
        return self.answer(self.find(row.public_id))


class _Groups(Door):
    serializer_class = GroupAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows = AccountGroup.objects.visible_to(self.request.user)
        accounts = PlatformAccount.objects.open_to(self.request.user)
        return rows.select_related("workspace").prefetch_related(Prefetch("accounts", accounts))


class GroupList(_Groups, Rows):
    filterset_class: ClassVar[Any] = GroupFilter

    def post(self, request: Request) -> Response:
        given = self.read(GroupInput)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.ACCOUNTS, workspace)
        made = group_service.create(
            workspace=workspace,
            name=given["name"],
            account_ids=given.get("accounts", ()),
            actor=self.actor,
            now=self.now,
        )
        where = reverse("api:account_group", args=[made.public_id])
        return self.answer(self.find(made.public_id), status=201, headers={"Location": where})


class GroupDetail(_Groups, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Another name, other accounts; `accounts` is replaced as a whole."""
        row = self.find(public_id)
        self.require(Action.ACCOUNTS, row.workspace)
        given = self.read(GroupChange, instance=row)
        group_service.update(
            group=row,
            name=given.get("name"),
            account_ids=given.get("accounts"),
            version=given["version"],
            actor=self.actor,
            now=self.now,
        )
        return self.answer(self.find(public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.ACCOUNTS, row.workspace)
        group_service.delete(group=row, actor=self.actor, now=self.now)
        return Response(status=204)


class _Apps(Door):
    serializer_class = AppAnswer

    def get_queryset(self) -> QuerySet[Any]:
        return PlatformApp.objects.visible_to(self.request.user).select_related("workspace")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "redirect_uri": app_service.redirect_uri()}


class AppList(_Apps, Rows):
    filterset_class: ClassVar[Any] = AppFilter

    def post(self, request: Request) -> Response:
        """Enter the app of a platform (and server), or change the one that is there."""
        given = self.read(AppInput)
        workspace = self.workspace_of(given.pop("workspace", None))
        self.require(Action.ACCOUNTS, workspace)
        made = app_service.save(workspace=workspace, actor=self.actor, now=self.now, **given)
        where = reverse("api:sign_in_app", args=[made.public_id])
        return self.answer(self.find(made.public_id), status=201, headers={"Location": where})


class AppDetail(_Apps, Row):
    def delete(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.ACCOUNTS, row.workspace)
        app_service.remove(app=row, actor=self.actor, now=self.now)
        return Response(status=204)
