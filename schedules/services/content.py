"""The only writers of content: create, edit and restore, with variants, media, campaign and the versions of it all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import F
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import MediaAsset
from platforms.text import utm
from schedules.models import Campaign, ContentItem, ContentMedia, ContentVariant, ContentVersion
from schedules.models.content import ContentType
from schedules.services.plans import ContentDraft, VariantDraft

_PLAIN_FIELDS = ("title", "text", "content_type", "link", "language", "notes")
_HASHTAG = re.compile(r"^\w+$")


def tidy_hashtags(tags: tuple[str, ...]) -> list[str]:
    """Without the leading #, without repeats, in order."""
    return list(dict.fromkeys(tag.strip().lstrip("#") for tag in tags if tag.strip().lstrip("#")))


def check_content(draft: ContentDraft) -> None:
    """What can be said of content without knowing its accounts; Refused with all problems at once."""
    problems = []
    if not (draft.text.strip() or draft.title.strip() or draft.media_ids or draft.link.strip()):
        problems.append(
            Problem(field="text", message=_("Write something, or add a medium or a link."), code="required")
        )
    if draft.content_type not in ContentType.values:
        problems.append(
            Problem(
                field="content_type", message=_("Choose one of %(values)s.") % {"values": ", ".join(ContentType.values)}
            )
        )
    if len(draft.title) > 300:
        problems.append(Problem(field="title", message=_("Shorten the title to 300 characters.")))
    problems += hashtag_problems("hashtags", draft.hashtags)
    problems += _link_problems("link", draft.link)
    for item in draft.variants:
        problems += hashtag_problems(f"variants.{item.platform}.hashtags", item.hashtags or ())
        problems += _link_problems(f"variants.{item.platform}.link", item.link or "")
    problems += [
        Problem(
            field="utm",
            message=_("%(name)s is not a UTM parameter: use %(names)s.")
            % {"name": name, "names": ", ".join(utm.NAMES)},
        )
        for name in draft.utm
        if name.removeprefix("utm_") not in utm.NAMES
    ]
    if problems:
        raise Refused(problems)


def hashtag_problems(field: str, tags: tuple[str, ...]) -> Iterator[Problem]:
    for tag in tidy_hashtags(tags):
        if not _HASHTAG.match(tag):
            yield Problem(
                field=field, message=_("%(tag)r is not a hashtag: use letters, digits and _ only.") % {"tag": tag}
            )


def _link_problems(field: str, link: str) -> Iterator[Problem]:
    if link:
        try:
            URLValidator(schemes=["http", "https"])(link)
        except ValidationError:
            yield Problem(field=field, message=_("Write a whole address that starts with http:// or https://."))


def _values(draft: ContentDraft, workspace: Workspace, now: datetime) -> dict[str, Any]:
    campaign = None
    if draft.campaign.strip():
        campaign, _made = Campaign.objects.get_or_create(
            workspace=workspace, name=draft.campaign.strip()[:120], defaults={"created_at": now}
        )
    return {
        **{name: getattr(draft, name) for name in _PLAIN_FIELDS},
        "hashtags": tidy_hashtags(draft.hashtags),
        "labels": list(dict.fromkeys(label.strip() for label in draft.labels if label.strip())),
        "campaign": campaign,
        "utm": utm.merged(draft.utm),
    }


def _media(draft: ContentDraft, workspace: Workspace) -> list[MediaAsset]:
    try:
        wanted = [UUID(str(item)) for item in draft.media_ids]
    except ValueError as error:
        raise Refused(Problem(field="media", message=_("A medium is named by its id."))) from error
    found = {asset.public_id: asset for asset in MediaAsset.objects.filter(workspace=workspace, public_id__in=wanted)}
    if missing := [str(item) for item in wanted if item not in found]:
        raise Refused(
            Problem(
                field="media",
                message=_("There is no medium %(missing)s in this workspace: upload it first.")
                % {"missing": ", ".join(missing)},
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
        "utm": content.utm,
        "media": [str(link.asset.public_id) for link in content.media_links.select_related("asset")],
        "variants": [
            {
                "platform": item.platform,
                "title": item.title,
                "text": item.text,
                "link": item.link,
                "hashtags": item.hashtags,
                "options": item.options,
            }
            for item in content.variants.all()
        ],
    }


def draft_of(content: ContentItem) -> ContentDraft:
    """The stored content as a draft, to be changed in part. With variants and media prefetched: no query."""
    return ContentDraft(
        title=content.title,
        text=content.text,
        content_type=content.content_type,
        link=content.link,
        hashtags=tuple(content.hashtags),
        labels=tuple(content.labels),
        campaign=content.campaign.name if content.campaign else "",
        language=content.language,
        notes=content.notes,
        utm=content.utm,
        media_ids=tuple(str(link.asset.public_id) for link in content.media_links.all()),
        variants=tuple(
            VariantDraft(
                platform=item.platform,
                title=item.title,
                text=item.text,
                link=item.link,
                hashtags=None if item.hashtags is None else tuple(item.hashtags),
                options=item.options,
            )
            for item in content.variants.all()
        ),
    )


def draft_of_snapshot(stored: Mapping[str, Any]) -> ContentDraft:
    """The draft that a snapshot was made from; what is missing in an older one is empty."""
    return ContentDraft(
        **{name: str(stored.get(name) or "") for name in (*_PLAIN_FIELDS, "campaign") if name != "content_type"},
        content_type=stored.get("content_type") or ContentType.POST.value,
        hashtags=tuple(stored.get("hashtags") or ()),
        labels=tuple(stored.get("labels") or ()),
        utm=dict(stored.get("utm") or {}),
        media_ids=tuple(stored.get("media") or ()),
        variants=tuple(
            VariantDraft(
                platform=item["platform"],
                title=item.get("title"),
                text=item.get("text"),
                link=item.get("link"),
                hashtags=None if item.get("hashtags") is None else tuple(item["hashtags"]),
                options=dict(item.get("options") or {}),
            )
            for item in stored.get("variants") or ()
        ),
    )


def _keep_version(content: ContentItem, number: int, author: str, at: datetime, stored: dict[str, Any]) -> None:
    ContentVersion.objects.create(content=content, number=number, author=author[:150], at=at, snapshot=stored)


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
    after = snapshot(content)
    _keep_version(content, content.version, actor.label, now, after)
    emit(_fact("content.created", content, actor, now, after=after))
    return content


@unit()
def update_content(
    *, content: ContentItem, draft: ContentDraft, version: int, actor: Actor, now: datetime
) -> ContentItem:
    """Replace the content, if it is still the version that was shown; jobs that have not begun publish the new words."""
    check_content(draft)
    media = _media(draft, content.workspace)
    before, written_at = snapshot(content), content.updated_at
    changed = ContentItem.objects.filter(pk=content.pk, version=version).update(
        version=F("version") + 1, updated_at=now, **_values(draft, content.workspace, now)
    )
    if not changed:
        raise stale("content")
    content.refresh_from_db()
    _set_parts(content, draft, media)
    after = snapshot(content)
    if not ContentVersion.objects.filter(content=content, number=version).exists():
        _keep_version(content, version, "", written_at, before)  # from a time when versions were not kept, or a copy
    _keep_version(content, content.version, actor.label, now, after)
    names = [name for name in after if after[name] != before[name]]
    emit(
        _fact(
            "content.edited", content, actor, now,
            before={name: before[name] for name in names}, after={name: after[name] for name in names},
        )
    )  # fmt: skip
    return content


def restore_version(*, content: ContentItem, number: int, version: int, actor: Actor, now: datetime) -> ContentItem:
    """Make the post say again what it said in that version: as a new version, so that nothing is lost. `version` is the one
    that was shown. Raises Refused when there is no such version, or when one of its files is gone."""
    stored = ContentVersion.objects.filter(content=content, number=number).first()
    if stored is None:
        raise Refused(
            Problem(
                field="number",
                message=_("There is no version %(number)s of this post.") % {"number": number},
                code="not_found",
            )
        )
    return update_content(
        content=content, draft=draft_of_snapshot(stored.snapshot), version=version, actor=actor, now=now
    )


def stale(what: str) -> StaleVersion:
    """`what`: schedule or content."""
    words = (
        _("Somebody changed this schedule while you were editing. Nothing of yours was saved: compare and save again.")
        if what == "schedule"
        else _(
            "Somebody changed this content while you were editing. Nothing of yours was saved: compare and save again."
        )
    )
    return StaleVersion(Problem(field="version", message=words, code="stale"))


def _fact(
    name: str, content: ContentItem, actor: Actor, now: datetime, *,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=content.workspace_id, object_type="content", object_id=str(content.public_id),
        object_label=str(content), before=before or {}, after=after or {},
    )  # fmt: skip
