"""Content in and out: the words, their media in order, and what single platforms get instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from platforms.models import MediaKind
from platforms.text.utm import NAMES as UTM_NAMES
from schedules.api.serializers.shapes import (
    Answer,
    Input,
    PlainJson,
    Text,
    Version,
    Words,
    WorkspaceName,
    id_or_object,
    workspace_words,
)
from schedules.api.serializers.shown import Shown
from schedules.models import ContentItem, ContentMedia
from schedules.models.content import ContentType
from schedules.services.content import draft_of
from schedules.services.plans import ContentDraft, VariantDraft

__all__ = ["ContentAnswer", "ContentChange", "NewContent", "draft", "draft_of"]
LONGEST_TEXT = 200_000
ECHOED = frozenset(
    {
        "id",
        "workspace",
        "timezone",
        "created_by",
        "created_at",
        "created_at_local",
        "updated_at",
        "updated_at_local",
    }
)


class VariantInput(Input):
    platform = serializers.CharField(max_length=32)
    title = Text(max_length=300, allow_null=True, default=None)
    text = Text(max_length=LONGEST_TEXT, allow_null=True, default=None)
    link = Text(max_length=2000, allow_null=True, default=None)
    hashtags = Words(allow_null=True, default=None)
    options = PlainJson(default=dict)


class MediumId(serializers.UUIDField):
    """A medium by its id, or as the object in which an answer shows it."""

    takes_objects = True
    written: ClassVar[dict[str, Any]] = id_or_object("medium")

    def to_internal_value(self, data: Any) -> Any:
        wanted: Any = data.get("id") if isinstance(data, Mapping) else data
        return super().to_internal_value(wanted)


class UtmInput(Input):
    """source, medium, campaign, term, content, id; {platform}, {account} and {campaign} are put in for each account."""

    def get_fields(self) -> dict[str, Any]:
        # not declared above, because `source` is a serializer's own attribute
        return {name: Text(max_length=200) for name in UTM_NAMES}


class ContentInput(Input):
    """The words of a post. Whatever is left out is empty, or in a partial change stays as it is."""

    title = Text(max_length=300)
    text = Text(max_length=LONGEST_TEXT)
    content_type = serializers.CharField(required=False, max_length=16)
    link = Text(max_length=2000)
    hashtags = Words()
    labels = Words()
    campaign = Text(max_length=120)
    language = Text(max_length=16)
    notes = Text(max_length=5000)
    utm = UtmInput(required=False)
    media = serializers.ListField(child=MediumId(), required=False, max_length=100)
    variants = VariantInput(many=True, required=False)

    def validate_variants(self, variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [item["platform"] for item in variants]
        if len(set(names)) != len(names):
            raise serializers.ValidationError("Give each platform once.")
        return variants


class NewContent(ContentInput):
    workspace = serializers.CharField(required=False, max_length=60)


class ContentChange(ContentInput):
    echoed: ClassVar[frozenset[str]] = ECHOED
    version = Version()


def draft(given: Mapping[str, Any], onto: ContentDraft | None = None) -> ContentDraft:
    """The validated words as a draft; what is not given stays as it is in `onto`."""
    plain = ("title", "text", "content_type", "link", "campaign", "language", "notes")
    values: dict[str, Any] = {name: given[name] for name in plain if name in given}
    values |= {name: tuple(given[name]) for name in ("hashtags", "labels") if name in given}
    if "utm" in given:
        values["utm"] = dict(given["utm"])
    if "media" in given:
        values["media_ids"] = tuple(str(item) for item in given["media"])
    if "variants" in given:
        values["variants"] = tuple(_variant(item) for item in given["variants"])
    return replace(onto or ContentDraft(), **values)


def _variant(given: Mapping[str, Any]) -> VariantDraft:
    hashtags = given["hashtags"]
    return VariantDraft(**{**given, "hashtags": None if hashtags is None else tuple(hashtags)})


class Variant(Shown):
    """What one platform gets instead; null is the same as the content."""

    platform: str
    title: str | None
    text: str | None
    link: str | None
    hashtags: list[str] | None
    options: dict[str, Any]


class Medium(Shown):
    """A file of a post: size in bytes, sides in pixels."""

    id: UUID
    kind: MediaKind
    mime: str
    size: int
    width: int | None
    height: int | None
    alt_text: str
    original_name: str


class ContentShown(Shown):
    """The words of a post, its media in order, and what single platforms get instead."""

    id: UUID
    workspace: WorkspaceName
    version: int
    title: str
    text: str
    content_type: ContentType
    link: str
    hashtags: list[str]
    labels: list[str]
    campaign: str
    language: str
    notes: str
    utm: dict[str, str]
    media: list[Medium]
    variants: list[Variant]
    created_by: str | None


class ContentAnswer(Answer):
    """Wants campaign, workspace and created_by joined, variants and media prefetched."""

    shown = ContentShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")

    def zone(self, row: ContentItem) -> str:
        return row.workspace.timezone

    def body(self, row: ContentItem) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "version": row.version,
            "title": row.title,
            "text": row.text,
            "content_type": row.content_type,
            "link": row.link,
            "hashtags": row.hashtags,
            "labels": row.labels,
            "campaign": row.campaign.name if row.campaign else "",
            "language": row.language,
            "notes": row.notes,
            "utm": row.utm,
            "media": [_medium(link) for link in row.media_links.all()],
            "variants": [
                {
                    "platform": item.platform,
                    "title": item.title,
                    "text": item.text,
                    "link": item.link,
                    "hashtags": item.hashtags,
                    "options": item.options,
                }
                for item in row.variants.all()
            ],
            "created_by": row.created_by.get_username() if row.created_by else None,
        }


def _medium(link: ContentMedia) -> dict[str, Any]:
    asset = link.asset
    return {
        "id": str(asset.public_id),
        "kind": asset.kind,
        "mime": asset.mime,
        "size": asset.size,
        "width": asset.width,
        "height": asset.height,
        "alt_text": asset.alt_text,
        "original_name": asset.original_name,
    }
