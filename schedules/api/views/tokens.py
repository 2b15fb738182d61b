"""API tokens. Those who manage members see them; a secret is answered once, when it is made."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces import tokens
from alwrity_scheduler.workspaces.access import workspaces_where
from alwrity_scheduler.workspaces.models import ApiToken
from alwrity_scheduler.workspaces.roles import Action
from alwrity_scheduler.workspaces.scopes import scopes_of
from platforms.services import grants
from schedules.api.serializers.members import NewToken, TokenAnswer, TokenAnswerOnce, TokenChange
from schedules.api.serializers.shapes import Empty
from schedules.api.views.door import PAGING, Door, Row, Rows


class _Tokens(Door):
    area: ClassVar[str] = "workspace"
    serializer_class = TokenAnswer

    def get_queryset(self) -> QuerySet[ApiToken]:
        rooms = workspaces_where(self.request.user, Action.MEMBERS)
        rows = ApiToken.objects.filter(workspace__in=rooms).select_related("workspace", "created_by")
        return rows.prefetch_related("account_grants__account")

    def answer_once(
        self, row: ApiToken, secret: str, *, status: int, headers: dict[str, str] | None = None
    ) -> Response:
        """With the secret, which cannot be had again."""
        shown = {**self.get_serializer(self.find(row.public_id)).data, "token": secret}
        return Response(shown, status=status, headers={"Cache-Control": "no-store", **(headers or {})})


class TokenList(_Tokens, Rows):
    answers: ClassVar[dict[str, Any]] = {"post": {201: TokenAnswerOnce}}

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace"}

    def post(self, request: Request) -> Response:
        """Make a token, never above one's own role and scopes."""
        given = self.read(NewToken)
        workspace = self.workspace_of(given.pop("workspace", None))
        self.require(Action.MEMBERS, workspace)
        row, secret = grants.create_token(
            workspace=workspace, actor=self.actor, now=self.now, person=self.person, within=scopes_of(request.user), **given
        )  # fmt: skip
        where = reverse("api:token", args=[row.public_id])
        return self.answer_once(row, secret, status=201, headers={"Location": where})


class TokenRow(_Tokens, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change what is given: name, scopes, networks, expires_at, accounts. The role stays."""
        row = self.find(public_id)
        changes: dict[str, Any] = self.read(TokenChange)
        within = scopes_of(request.user)
        grants.change_token(token=row, changes=changes, within=within, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        """Revoke it: it stops working at once, and stays in the list as revoked."""
        tokens.revoke_token(token=self.find(public_id), actor=self.actor, now=self.now)
        return Response(status=204)


class TokenRotate(_Tokens):
    """Another secret for the same token; the old one ends at once."""

    answers: ClassVar[dict[str, Any]] = {"post": TokenAnswerOnce}

    def post(self, request: Request, public_id: UUID) -> Response:
        found = self.find(public_id)
        self.read(Empty)
        within = scopes_of(request.user)
        row, secret = tokens.rotate_token(token=found, within=within, actor=self.actor, now=self.now)
        return self.answer_once(row, secret, status=200)
