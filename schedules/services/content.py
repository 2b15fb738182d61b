"""The only writers of content: create and edit, with variants, media and campaign."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from alwrity_scheduler.core.errors import Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import MediaAsset
from schedules.models import Campaign, ContentItem, ContentMedia, ContentVariant
from schedules.models.content import ContentType
from schedules.services.plans import ContentDraft

_PLAIN_FIELDS = ("title", "text", "content_type", "link", "language", "notes")
_HASHTAG = re.compile(r"^\w+$")


def tidy_hashtags(tags: tuple[str, ...]) -> list[str]:
    """Without the leading #, without repeats, in order."""
    return list(dict.fromkeys(tag.strip().lstrip("#") for tag in tags if tag.strip().lstrip("#")))


def check_content(draft: ContentDraft) -> None:
    """What can be said of content without knowing its accounts; Refused with all problems at once."""
    problems = []
    if not (draft.text.strip() or draft.title.strip() or draft.media_ids or draft.link.strip()):
        problems.append(Problem(field="text", message="Write something, or add a medium or a link.", code="required"))
    if draft.content_type not in ContentType.values:
        problems.append(Problem(field="content_type", message=f"Choose one of {', '.join(ContentType.values)}."))
    if len(draft.title) > 300:
        problems.append(Problem(field="title", message="Shorten the title to 300 characters."))
    problems.extend(
        Problem(field="hashtags", message=f"{tag!r} is not a hashtag: use letters, digits and _ only.")
        for tag in tidy_hashtags(draft.hashtags)
        if not _HASHTAG.match(tag)
    )
    if draft.link:
        try:
            URLValidator(schemes=["http", "https"])(draft.link)
        except ValidationError:
            problems.append(
                Problem(field="link", message="Write a whole address that starts with http:// or https://.")
            )
    if problems:
        raise Refused(problems)


def _values(draft: ContentDraft, workspace: Workspace, now: datetime) -> dict[str, Any]:
    campaign = None
    if draft.campaign.strip():
        campaign, _ = Campaign.objects.get_or_create(
            workspace=workspace, name=draft.campaign.strip()[:120], defaults={"created_at": now}
        )
    return {
        **{name: getattr(draft, name) for name in _PLAIN_FIELDS},
        "hashtags": tidy_hashtags(draft.hashtags),
        "labels": list(dict.fromkeys(label.strip() for label in draft.labels if label.strip())),
        "campaign": campaign,
    }


def _media(draft: ContentDraft, workspace: Workspace) -> list[MediaAsset]:
    try:
        wanted = [UUID(str(item)) for item in draft.media_ids]
    except ValueError as error:
        raise Refused(Problem(field="media", message="A medium is named by its id.")) from error
    found = {asset.public_id: asset for asset in MediaAsset.objects.filter(workspace=workspace, public_id__in=wanted)}
    if missing := [str(item) for item in wanted if item not in found]:
        raise Refused(
            Problem(
                field="media", message=f"There is no medium {', '.join(missing)} in this workspace: upload it first."
            )
        )
    return [found[item] for item in wanted]


def _set_parts(content: ContentItem, draft: ContentDraft, media: list[MediaAsset]) -> None:
    content.variants.all().delete()
    ContentVariant.objects.bulk_create(
        ContentVariant(
            content=content, platform=item.platform, title=item.title, text=item.text, link=item.link,
            hashtags=None if item.hashtags is None else tidy_hashtags(item.hashtags), options=dict(item.options),
        )
        for item in draft.variants
    )  # fmt: skip
    content.media_links.all().delete()
    ContentMedia.objects.bulk_create(
        ContentMedia(content=content, asset=asset, position=position) for position, asset in enumerate(media)
    )


def snapshot(content: ContentItem) -> dict[str, Any]:
    """The content as plain values, for the history's before and after."""
    return {
        **{name: getattr(content, name) for name in _PLAIN_FIELDS},
        "hashtags": content.hashtags,
        "labels": content.labels,
        "campaign": content.campaign.name if content.campaign else "",
        "media": [str(link.asset.public_id) for link in content.media_links.select_related("asset")],
        "variants": [
            {
                "platform": item.platform,
                "title": item.title,
                "text": item.text,
                "link": item.link,
                "hashtags": item.hashtags,
            }
            for item in content.variants.all()
        ],
    }


@unit()
def create_content(
    *, workspace: Workspace, draft: ContentDraft, actor: Actor, now: datetime, person: User | None = None
) -> ContentItem:
    """Store new content. Refused names each field that cannot stand."""
    check_content(draft)
    media = _media(draft, workspace)
    content = ContentItem.objects.create(
        workspace=workspace, created_by=person, created_at=now, updated_at=now, **_values(draft, workspace, now)
    )
    _set_parts(content, draft, media)
    emit(_fact("content.created", content, actor, now, after=snapshot(content)))
    return content


@unit()
def update_content(
    *, content: ContentItem, draft: ContentDraft, version: int, actor: Actor, now: datetime
) -> ContentItem:
    """Replace the content, if it is still the version that was shown; jobs that have not begun publish the new words."""
    check_content(draft)
    media = _media(draft, content.workspace)
    before = snapshot(content)
    changed = ContentItem.objects.filter(pk=content.pk, version=version).update(
        version=version + 1, updated_at=now, **_values(draft, content.workspace, now)
    )
    if not changed:
        raise stale("content")
    content.refresh_from_db()
    _set_parts(content, draft, media)
    after = snapshot(content)
    names = [name for name in after if after[name] != before[name]]
    emit(
        _fact(
            "content.edited", content, actor, now,
            before={name: before[name] for name in names}, after={name: after[name] for name in names},
        )
    )  # fmt: skip
    return content


def stale(what: str) -> StaleVersion:
    return StaleVersion(
        Problem(
            field="version",
            message=f"Somebody changed this {what} while you were editing. Nothing of yours was saved: compare and save again.",
            code="stale",
        )
    )


def _fact(
    name: str, content: ContentItem, actor: Actor, now: datetime, *,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=content.workspace_id, object_type="content", object_id=str(content.public_id),
        object_label=str(content), before=before or {}, after=after or {},
    )  # fmt: skip
