"""Campaigns and labels, many pieces of content or files at once, and a person's own views, drafts and settings."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.workspaces import services as people
from alwrity_scheduler.workspaces.models import User, Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import MediaAsset, MediaFolder
from schedules.api.serializers import shelves as words
from schedules.api.serializers.shapes import Empty, Input
from schedules.api.views.asked import AskedDoor
from schedules.api.views.connecting import OfWorkspace
from schedules.api.views.door import PAGING, Door, Row, Rows
from schedules.models import Campaign, ComposerDraft, ContentItem, SavedView
from schedules.models.views import PAGES
from schedules.notifications import services as notices
from schedules.notifications.models import NoticeRules
from schedules.reads import choices
from schedules.services import campaigns, drafts, many, views

# ---- campaigns and labels


class _Campaigns(Door):
    area: ClassVar[str] = "content"
    serializer_class = words.CampaignAnswer

    def get_queryset(self) -> QuerySet[Any]:
        mine = ContentItem.objects.open_to(self.request.user)
        counted = mine.filter(campaign=OuterRef("pk")).order_by().values("campaign")
        number = Subquery(counted.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
        rows = Campaign.objects.visible_to(self.request.user).select_related("workspace")
        return rows.annotate(content_count=Coalesce(number, 0))


class CampaignList(_Campaigns, Rows):
    """The campaigns of the workspaces one is in, the newest first; a post may also name a new one."""

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace", "fields", "ordering"}

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    def post(self, request: Request) -> Response:
        given = self.read(words.NewCampaign)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.WRITE, workspace)
        made = campaigns.create(workspace=workspace, name=given["name"], actor=self.actor, now=self.now)
        where = reverse("api:campaign", args=[made.public_id])
        return self.answer(self.find(made.public_id), status=201, headers={"Location": where})


class CampaignRow(_Campaigns, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Another name; its posts stay in it."""
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        given = self.read(words.CampaignChange)
        campaigns.rename(campaign=row, name=given["name"], actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))


class Labels(AskedDoor):
    """The labels of the latest 5,000 posts of a workspace, with how many of those have each."""

    area: ClassVar[str] = "content"
    answers: ClassVar[dict[str, Any]] = {"get": words.LabelsShown}
    asked: ClassVar[type[Input]] = OfWorkspace

    def get(self, request: Request) -> Response:
        workspace = self.workspace_of(self.query()["workspace"])
        found = choices.label_counts(workspace)
        return Response({"results": [{"label": label, "content_count": number} for label, number in found.items()]})


# ---- many at once


class _Bulk(Door):
    answers: ClassVar[dict[str, Any]] = {"post": words.ManyShown}

    def split(self, rows: QuerySet[Any], ids: list[UUID]) -> tuple[list[Any], list[UUID]]:
        """The rows that are there, in the order of the ids, and the ids of which there are none."""
        there = {row.public_id: row for row in rows.filter(public_id__in=ids)}
        names = list(dict.fromkeys(ids))
        return [there[name] for name in names if name in there], [name for name in names if name not in there]


class ContentBulk(_Bulk):
    """POST of one verb on the named pieces of content; answers one by one, 200 a call at the most."""

    area: ClassVar[str] = "content"

    def post(self, request: Request) -> Response:
        given = self.read(words.ContentMany)
        workspace = self.workspace_of(given["workspace"])
        self.require(Action.WRITE, workspace)
        rows = ContentItem.objects.visible_to(request.user).filter(workspace=workspace)
        rows = rows.select_related("workspace", "campaign").prefetch_related("variants", "media_links__asset")
        found, missing = self.split(rows, given["ids"])
        verb = many.ContentVerb(given["verb"])
        word = given.get("campaign", "") if verb is many.ContentVerb.CAMPAIGN else given.get("label", "")
        outcomes = many.content(rows=found, verb=verb, word=word.strip(), actor=self.actor, now=self.now)
        return Response(words.many_words(verb.value, outcomes, missing))


class MediaBulk(_Bulk):
    """POST of one verb on the named files: `delete`, `restore`, or `move` into a folder."""

    area: ClassVar[str] = "media"

    def post(self, request: Request) -> Response:
        given = self.read(words.MediaMany)
        workspace = self.workspace_of(given["workspace"])
        self.require(Action.WRITE, workspace)
        verb = many.MediaVerb(given["verb"])
        manager = MediaAsset.every if verb is many.MediaVerb.RESTORE else MediaAsset.objects
        rows = manager.visible_to(request.user).filter(workspace=workspace)
        folder = self._folder(given.get("folder"), workspace)
        found, missing = self.split(rows, given["ids"])
        outcomes = many.files(rows=found, verb=verb, folder=folder, actor=self.actor, now=self.now)
        return Response(words.many_words(verb.value, outcomes, missing))

    def _folder(self, public_id: UUID | None, workspace: Workspace) -> MediaFolder | None:
        if public_id is None:
            return None
        rows = MediaFolder.objects.visible_to(self.request.user).filter(workspace=workspace)
        row: MediaFolder | None = rows.filter(public_id=public_id).first()
        if row is None:
            message = "There is no such folder in this workspace."
            raise Refused(Problem(field="folder", message=message, code="not_found"))
        return row


# ---- a person's own


class _Own(Door):
    area: ClassVar[str] = "workspace"

    def owner(self) -> User:
        """The person who asks. Raises NotAllowed for a token."""
        if self.person is None:
            message = "This belongs to people, and a token is none. Ask as a signed-in person."
            raise NotAllowed(Problem(field="token", message=message, code="not_allowed"))
        return self.person


class _Views(_Own):
    area: ClassVar[str] = "schedules"
    serializer_class = words.ViewAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows = SavedView.objects.visible_to(self.request.user).select_related("workspace", "person")
        return rows.filter(Q(shared=True) | Q(person=self.owner()))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "person": self.owner().pk}


class ViewList(_Views, Rows):
    """Saved views of the pages: one's own, and those that others share. `page` narrows them."""

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace", "fields", "ordering", "page"}

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        page = self.request.query_params.get("page")
        if page is None:
            return queryset
        if page not in PAGES:
            message = f"Choose one of {', '.join(PAGES)}."
            raise Refused(Problem(field="page", message=message, code="invalid_choice"))
        return queryset.filter(page=page)

    def post(self, request: Request) -> Response:
        """Keep a view; the same name again replaces it."""
        given = self.read(words.NewView)
        person = self.owner()
        workspace = self.workspace_of(given.pop("workspace", None))
        self.require(Action.VIEW, workspace)
        made = views.save(person=person, workspace=workspace, now=self.now, **given)
        return self.answer(made, status=201, headers={"Location": reverse("api:view", args=[made.public_id])})


class ViewRow(_Views, Row):
    def delete(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        if row.person_id != self.owner().pk:
            message = "This view is somebody else's: its writer can remove it."
            raise NotAllowed(Problem(field="id", message=message, code="not_allowed"))
        views.remove(view=row)
        return Response(status=204)


class _Drafts(_Own):
    area: ClassVar[str] = "content"
    serializer_class = words.DraftAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows = ComposerDraft.objects.visible_to(self.request.user).filter(person=self.owner())
        return rows.select_related("workspace", "schedule")


class DraftList(_Drafts, Rows):
    """What one has typed into the composer and not saved, without what was put aside."""

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace", "fields", "ordering"}

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset().kept()  # type: ignore[attr-defined]
        return rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class DraftRow(_Drafts, Row):
    def delete(self, request: Request, public_id: UUID) -> Response:
        """Put it aside; `take-back` brings it back for a month."""
        drafts.discard(draft=self.find(public_id), now=self.now)
        return Response(status=204)


class DraftTakeBack(_Drafts):
    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.read(Empty)
        drafts.take_back(draft=row)
        return self.answer(self.find(public_id))


class Preferences(_Own):
    """What the signed-in person set for themselves. PATCH changes what is named."""

    answers: ClassVar[dict[str, Any]] = {"get": words.PreferencesShown, "patch": words.PreferencesShown}

    def get(self, request: Request) -> Response:
        return Response(words.preference_words(self.owner()))

    def patch(self, request: Request) -> Response:
        person = get_object_or_404(User, pk=self.owner().pk)
        given = self.read(words.PreferencesChange)
        people.update_person(person=person, actor=self.actor, now=self.now, **given)
        return Response(words.preference_words(person))


class NoticeRulesDoor(_Own):
    """Of what the signed-in person is told. PATCH changes the kinds that are named."""

    area: ClassVar[str] = "notifications"
    answers: ClassVar[dict[str, Any]] = {"get": words.NoticeRulesShown, "patch": words.NoticeRulesShown}

    def get(self, request: Request) -> Response:
        row = NoticeRules.objects.filter(user=self.owner()).first()
        return Response(words.rule_words(row.kinds if row else {}))

    def patch(self, request: Request) -> Response:
        given = self.read(words.NoticeRulesChange)
        row = notices.save_rules(person=self.owner(), kinds=given["kinds"], actor=self.actor, now=self.now)
        return Response(words.rule_words(row.kinds))
