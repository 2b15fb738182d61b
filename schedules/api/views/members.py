"""Who one is; the workspaces; their members and invitations."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces import invitations, members
from alwrity_scheduler.workspaces import services as workspace_service
from alwrity_scheduler.workspaces.access import can, workspaces_where
from alwrity_scheduler.workspaces.models import Invitation, Membership, Workspace
from alwrity_scheduler.workspaces.roles import Action
from alwrity_scheduler.workspaces.scopes import SCOPES, scopes_of
from platforms.services import grants
from schedules.api.serializers.members import (
    InvitationAnswer,
    InvitationAnswerOnce,
    MemberAnswer,
    MemberChange,
    MeShown,
    NewInvitation,
    WorkspaceAnswer,
    WorkspaceChange,
)
from schedules.api.serializers.shapes import Empty, workspace_words
from schedules.api.views.door import PAGING, Door, Row, Rows


class Me(Door):
    """Who asks: a person or a token, where they are in which role, and what they are narrowed to (`scopes` null: nothing)."""

    # whatever a token may: it may know what it is
    area: ClassVar[str] = ""
    answers: ClassVar[dict[str, Any]] = {"get": MeShown}

    def get(self, request: Request) -> Response:
        user: Any = request.user
        token = getattr(user, "api_token", None)
        scopes = scopes_of(user)
        shown: dict[str, Any] = {"kind": "person" if token is None else "token", "timezone": self.own_zone}
        if token is None:
            shown |= {"username": user.get_username(), "name": user.get_full_name(), "email": user.email}
        else:
            shown |= {"token": {"id": str(token.public_id), "name": token.name, "prefix": token.prefix}}
        shown["scopes"] = None if scopes is None else [scope for scope in SCOPES if scope in scopes]
        shown["workspaces"] = [
            {**workspace_words(room), "role": role, "is_limited": is_limited} for room, role, is_limited in _rooms(user)
        ]
        return Response(shown)


def _rooms(user: Any) -> list[tuple[Workspace, str, bool]]:
    """(workspace, role, is limited) of whoever asks, outside reviews among them."""
    token = getattr(user, "api_token", None)
    if token is not None:
        return [(token.workspace, token.role, token.is_limited)]
    if user.is_superuser:
        return [(room, "owner", False) for room in Workspace.objects.order_by("id")]
    rows = Membership.objects.filter(user=user).select_related("workspace").order_by("workspace_id")
    delegated = getattr(user, "delegated_workspace_id", None)
    if delegated is not None:
        rows = rows.filter(workspace_id=delegated)
    return [(row.workspace, row.role, row.is_limited) for row in rows]


class _Workspaces(Door):
    area: ClassVar[str] = "workspace"
    serializer_class = WorkspaceAnswer

    def get_queryset(self) -> QuerySet[Workspace]:
        return Workspace.objects.visible_to(self.request.user)

    def get_serializer_context(self) -> dict[str, Any]:
        roles = {room.pk: (role, is_limited) for room, role, is_limited in _rooms(self.request.user)}
        return {**super().get_serializer_context(), "roles": roles}


class WorkspaceList(_Workspaces, Rows):
    def known_names(self) -> frozenset[str]:
        return PAGING


class WorkspaceRow(_Workspaces, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Another name or zone; what is not given stays."""
        row: Workspace = self.find(public_id)
        self.require(Action.MEMBERS, row)
        values = {"name": row.name, "timezone": row.timezone, **self.read(WorkspaceChange)}
        workspace_service.update_workspace(workspace=row, actor=self.actor, now=self.now, **values)
        return self.answer(self.find(public_id))


class WorkspaceSwitch(_Workspaces):
    """`pause` holds everything that the workspace would publish; `resume` lets it go on. Asking twice changes nothing."""

    paused: bool = False

    def post(self, request: Request, public_id: UUID) -> Response:
        row: Workspace = self.find(public_id)
        self.require(Action.ACCOUNTS, row)
        self.read(Empty)
        workspace_service.set_workspace_paused(workspace=row, paused=self.paused, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))


class _Members(Door):
    """The members of one workspace. Their addresses are shown to those who manage them."""

    area: ClassVar[str] = "workspace"
    serializer_class = MemberAnswer

    def workspace(self, public_id: UUID) -> Workspace:
        found: Workspace = get_object_or_404(Workspace.objects.visible_to(self.request.user), public_id=public_id)
        return found

    def rows_of(self, workspace: Workspace) -> QuerySet[Membership]:
        rows = Membership.objects.filter(workspace=workspace).select_related("workspace", "user")
        return rows.prefetch_related("account_grants__account")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        context = {**self.get_serializer_context(), "shows_mail": self.shows_mail}
        return super().get_serializer(*args, **{**kwargs, "context": context})

    shows_mail = False


class MemberList(_Members):
    def known_names(self) -> frozenset[str]:
        return PAGING

    def get(self, request: Request, public_id: UUID) -> Response:
        workspace = self.workspace(public_id)
        self.shows_mail = can(request.user, Action.MEMBERS, workspace)
        page = self.paginate_queryset(self.rows_of(workspace))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class MemberRow(_Members):
    def current(self) -> Membership:
        """What an `If-Match` is about."""
        return self.member(self.kwargs["public_id"], self.kwargs["username"])

    def member(self, public_id: UUID, username: str) -> Membership:
        workspace = self.workspace(public_id)
        if "\x00" in username:
            # PostgreSQL cannot even look for it
            raise Http404
        self.shows_mail = can(self.request.user, Action.MEMBERS, workspace)
        found: Membership = get_object_or_404(self.rows_of(workspace), user__username=username)
        return found

    def get(self, request: Request, public_id: UUID, username: str) -> Response:
        return self.answer(self.member(public_id, username))

    def patch(self, request: Request, public_id: UUID, username: str) -> Response:
        """Another role, other accounts, or both. Nobody raises their own role."""
        row = self.member(public_id, username)
        self.require(Action.MEMBERS, row.workspace)
        grants.change_member(membership=row, changes=self.read(MemberChange), actor=self.actor, now=self.now)
        return self.answer(self.member(public_id, username))

    def delete(self, request: Request, public_id: UUID, username: str) -> Response:
        """Take somebody out; who takes out themselves leaves, for which no role is needed."""
        row = self.member(public_id, username)
        if self.person is not None and row.user_id == self.person.pk:
            members.leave(membership=row, actor=self.actor, now=self.now)
            return Response(status=204)
        self.require(Action.MEMBERS, row.workspace)
        members.remove_member(membership=row, actor=self.actor, now=self.now)
        return Response(status=204)


class _Invitations(Door):
    """Those who manage members see them; to others there are none."""

    area: ClassVar[str] = "workspace"
    serializer_class = InvitationAnswer

    def get_queryset(self) -> QuerySet[Invitation]:
        rooms = workspaces_where(self.request.user, Action.MEMBERS)
        return Invitation.objects.filter(workspace__in=rooms).select_related("workspace")

    def answer_once(
        self, row: Invitation, secret: str, *, status: int, headers: dict[str, str] | None = None
    ) -> Response:
        """With the link, where it could not be sent: it cannot be had again."""
        row.refresh_from_db()
        shown = {**self.get_serializer(row).data, "url": None if row.sent_at else invitations.link_of(secret)}
        return Response(shown, status=status, headers=headers)


class InvitationList(_Invitations, Rows):
    answers: ClassVar[dict[str, Any]] = {"post": {201: InvitationAnswerOnce}}

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace"}

    def post(self, request: Request) -> Response:
        given = self.read(NewInvitation)
        workspace = self.workspace_of(given.pop("workspace", None))
        self.require(Action.MEMBERS, workspace)
        row, secret = grants.invite(workspace=workspace, actor=self.actor, now=self.now, person=self.person, **given)
        where = reverse("api:invitation", args=[row.public_id])
        return self.answer_once(row, secret, status=201, headers={"Location": where})


class InvitationRow(_Invitations, Row):
    def delete(self, request: Request, public_id: UUID) -> Response:
        invitations.take_back(invitation=self.find(public_id), actor=self.actor, now=self.now)
        return Response(status=204)


class InvitationResend(_Invitations):
    """A new link, for another seven days; the old one ends."""

    answers: ClassVar[dict[str, Any]] = {"post": InvitationAnswerOnce}

    def post(self, request: Request, public_id: UUID) -> Response:
        found = self.find(public_id)
        self.read(Empty)
        row, secret = invitations.resend(invitation=found, actor=self.actor, now=self.now)
        return self.answer_once(row, secret, status=200)
