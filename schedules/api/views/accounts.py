"""Accounts, groups of accounts, sign-in apps.

Accounts are connected on the pages; no secret comes out, and those of accounts are not even loaded.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.roles import Action
from platforms.models import AccountGroup, PlatformAccount, PlatformApp
from platforms.services import accounts as account_service
from platforms.services import apps as app_service
from platforms.services import groups as group_service
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
from schedules.api.views.door import Door, Row, Rows, VerbDoor
from schedules.filters import AccountFilter, AppFilter, GroupFilter
from schedules.reads.standing import standings


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


class AccountList(_Accounts, Rows):
    filterset_class: ClassVar[Any] = AccountFilter


class AccountDetail(_Accounts, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change what is given: name, zone, limits, and what goes along with every post."""
        row = self.find(public_id)
        self.require(Action.ACCOUNTS, row.workspace)
        changes = self.read(AccountChange, instance=row)
        version = changes.pop("version")
        account_service.update_settings(account=row, changes=changes, version=version, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))


VERBS = ("test", "pause", "resume")


class AccountVerb(_Accounts, VerbDoor):
    """`test` asks the platform now and posts nothing; `pause` and `resume` answer with the account."""

    words: ClassVar[dict[str, str]] = {
        "test": "Ask the platform whether it would publish, and as whom. It posts nothing.",
        "pause": "Nothing is published on the account until it is resumed.",
        "resume": "Publish on the account again.",
    }
    answers: ClassVar[dict[str, Any]] = {"test": ConnectionTest}
    action: ClassVar[Action] = Action.ACCOUNTS

    def act(self, row: PlatformAccount, given: dict[str, Any]) -> Response:
        if self.verb == "test":
            return Response(health_words(account_service.put_to_the_test(account=row, actor=self.actor, now=self.now)))
        verb = {"pause": account_service.pause, "resume": account_service.resume}[self.verb]
        verb(account=row, actor=self.actor, now=self.now)
        return self.answer(self.find(row.public_id))


class _Groups(Door):
    serializer_class = GroupAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows = AccountGroup.objects.visible_to(self.request.user)
        return rows.select_related("workspace").prefetch_related("accounts")


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
