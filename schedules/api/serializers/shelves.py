"""Campaigns, labels, many at once, saved views, drafts, and what a person has set for themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from rest_framework import serializers

from alwrity_scheduler.workspaces.models import User
from schedules.api.serializers.media import FolderId
from schedules.api.serializers.shapes import Answer, Input, ProblemOfField, Text, WorkspaceName, workspace_words
from schedules.api.serializers.shown import Shown, one_of
from schedules.models import Campaign, ComposerDraft, SavedView
from schedules.models.views import PAGES
from schedules.notifications.rules import NATURES, Kind, wanted
from schedules.services import many

# ---- campaigns


class NewCampaign(Input):
    name = serializers.CharField(max_length=120)
    workspace = serializers.CharField(required=False, max_length=60)


class CampaignChange(Input):
    echoed: ClassVar[frozenset[str]] = frozenset(
        {"id", "workspace", "timezone", "content_count", "created_at", "created_at_local"}
    )
    name = serializers.CharField(max_length=120)


class CampaignShown(Shown):
    """What holds posts together. `content_count`: how many pieces of content are in it."""

    id: UUID
    workspace: WorkspaceName
    name: str
    content_count: int


class LabelShown(Shown):
    label: str
    content_count: int


class LabelsShown(Shown):
    """The labels, with how many posts have each."""

    results: list[LabelShown]


class CampaignAnswer(Answer):
    """Wants the workspace joined and `content_count` annotated."""

    shown = CampaignShown
    times: ClassVar[tuple[str, ...]] = ("created_at",)

    def zone(self, row: Campaign) -> str:
        return row.workspace.timezone

    def body(self, row: Any) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.name,
            "content_count": row.content_count,
        }


# ---- many at once


class _Many(Input):
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=many.MOST)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)


class ContentMany(_Many):
    """`label` for the verbs label and unlabel, `campaign` for the verb campaign (empty: none)."""

    verb = serializers.ChoiceField(choices=list(many.ContentVerb))
    label = serializers.CharField(required=False, max_length=120)  # type: ignore[assignment]
    campaign = Text(max_length=120)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needs = "campaign" if attrs["verb"] == many.ContentVerb.CAMPAIGN else "label"
        if needs not in attrs:
            words = f"The verb {attrs['verb']} needs a {needs}."
            raise serializers.ValidationError({needs: [serializers.ErrorDetail(words, code="required")]})
        return attrs


class MediaMany(_Many):
    """`folder` for the verb move: its id, null for none."""

    verb = serializers.ChoiceField(choices=list(many.MediaVerb))
    folder = FolderId(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["verb"] == many.MediaVerb.MOVE and "folder" not in attrs:
            words = "Say into which folder: its id, or null for none."
            raise serializers.ValidationError({"folder": [serializers.ErrorDetail(words, code="required")]})
        return attrs


class OneOfMany(Shown):
    id: UUID
    done: bool
    errors: list[ProblemOfField]


class ManyShown(Shown):
    """How many were done, and for each of the others why not."""

    verb: str
    matched_count: int
    done_count: int
    refused_count: int
    results: list[OneOfMany]


def many_words(verb: str, outcomes: Sequence[many.Outcome], missing: Iterable[UUID]) -> dict[str, Any]:
    """n of m done, and for each of the others why not."""
    gone = list(missing)
    done = sum(1 for item in outcomes if not item.problems)
    nothing = {"field": "ids", "message": "There is no such thing in this workspace.", "code": "not_found"}
    return {
        "verb": verb,
        "matched_count": len(outcomes) + len(gone),
        "done_count": done,
        "refused_count": len(outcomes) - done + len(gone),
        "results": [
            *(
                {
                    "id": str(item.id),
                    "done": not item.problems,
                    "errors": [
                        {"field": each.field, "message": each.message, "code": each.code} for each in item.problems
                    ],
                }
                for item in outcomes
            ),
            *({"id": str(name), "done": False, "errors": [nothing]} for name in gone),
        ],
    }


# ---- a person's own


class NewView(Input):
    """query: the part of the page's address behind the `?`."""

    page = serializers.ChoiceField(choices=PAGES)
    name = serializers.CharField(max_length=60)
    query = Text(max_length=1000, default="")
    shared = serializers.BooleanField(required=False, default=False)
    workspace = serializers.CharField(required=False, max_length=60)


class SavedViewShown(Shown):
    """Filters of a page that somebody kept, as they stand in its address. `own`: of the one who asks, who alone can remove it."""

    id: UUID
    workspace: WorkspaceName
    # no enumeration: generated clients would call it SavedViewPage, like a page of the list
    page: str
    name: str
    query: str
    shared: bool
    own: bool
    person: str


class ComposerDraftShown(Shown):
    """What one has typed and not saved. `fields`: the composer's fields, each with its values."""

    id: UUID
    workspace: WorkspaceName
    title: str
    schedule: UUID | None
    version: int
    fields: dict[str, Any]


class ViewAnswer(Answer):
    """Wants workspace and person joined. `own`: of the one who asks, who alone can remove it."""

    shown = SavedViewShown
    times: ClassVar[tuple[str, ...]] = ("created_at",)

    def zone(self, row: SavedView) -> str:
        return row.workspace.timezone

    def body(self, row: SavedView) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "page": row.page,
            "name": row.name,
            "query": row.query,
            "shared": row.shared,
            "own": row.person_id == self.context["person"],
            "person": row.person.get_username(),
        }


class DraftAnswer(Answer):
    """What a person has typed and not saved: the composer's fields, each with its values."""

    shown = ComposerDraftShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "discarded_at")

    def zone(self, row: ComposerDraft) -> str:
        return row.workspace.timezone

    def body(self, row: ComposerDraft) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "title": row.title,
            "schedule": str(row.schedule.public_id) if row.schedule else None,
            "version": row.version,
            "fields": row.data,
        }


OWN = ("first_name", "last_name", "timezone", "language", "theme", "week_start", "hour_cycle", "density", "single_keys")


class PreferencesChange(Input):
    """What a person set for themselves; what is not named stays."""

    echoed: ClassVar[frozenset[str]] = frozenset({"username"})

    first_name = Text(max_length=150)
    last_name = Text(max_length=150)
    timezone = serializers.CharField(required=False, max_length=64)
    language = serializers.ChoiceField(
        required=False, allow_blank=True, choices=[code for code, _name in settings.LANGUAGES]
    )
    theme = serializers.ChoiceField(required=False, choices=("auto", "light", "dark"))
    week_start = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=6)
    hour_cycle = serializers.ChoiceField(required=False, allow_blank=True, choices=("h12", "h23"))
    density = serializers.ChoiceField(required=False, choices=("comfortable", "compact"))
    single_keys = serializers.BooleanField(required=False)


class PreferencesShown(Shown):
    """What a person set for themselves. Empty, or null for the first day of the week: as the language has it."""

    username: str
    first_name: str
    last_name: str
    timezone: str
    language: str
    theme: one_of("auto", "light", "dark")  # type: ignore[valid-type]
    week_start: int | None
    hour_cycle: one_of("", "h12", "h23")  # type: ignore[valid-type]
    density: one_of("comfortable", "compact")  # type: ignore[valid-type]
    single_keys: bool


class NoticeRulesShown(Shown):
    """Of which kinds of news the person is told, and of which people are told who have said nothing."""

    kinds: dict[str, bool]
    defaults: dict[str, bool]


def preference_words(person: User) -> dict[str, Any]:
    return {"username": person.get_username(), **{name: getattr(person, name) for name in OWN}}


class NoticeRulesChange(Input):
    """kinds: what to hear of, by kind; what is not named stays."""

    kinds = serializers.DictField(child=serializers.BooleanField(), allow_empty=False)

    def validate_kinds(self, kinds: dict[str, bool]) -> dict[Kind, bool]:
        known = list(Kind)
        if wrong := [name for name in kinds if name not in known]:
            raise serializers.ValidationError(f"There is no {wrong[0]} here. Known are {', '.join(known)}.")
        return {Kind(name): value for name, value in kinds.items()}


def rule_words(own: dict[str, Any]) -> dict[str, Any]:
    return {
        "kinds": {kind.value: wanted(kind, own) for kind in Kind},
        "defaults": {kind.value: nature.by_default for kind, nature in NATURES.items()},
    }
