"""What the calendar can be narrowed to: a workspace's accounts, campaigns and people, in one query."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast

from alwrity_scheduler.workspaces.models import Membership, Workspace
from platforms.models import PlatformAccount
from schedules.models import Campaign, ContentItem

MOST_LABELS, LOOKED_THROUGH = 60, 500
COUNTED = 5_000


@dataclass(frozen=True, slots=True)
class Choice:
    """`id` is the row's, `value` what stands in an address: the public id, or a person's number. `platform`: an account's."""

    id: int
    value: str
    name: str
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    accounts: tuple[Choice, ...]
    campaigns: tuple[Choice, ...]
    people: tuple[Choice, ...]

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(sorted({item.platform for item in self.accounts}))


def choices(workspace: Workspace) -> Choices:
    """By name; without accounts that are disconnected."""
    accounts = PlatformAccount.objects.within(workspace).exclude(state="disconnected")
    campaigns = Campaign.objects.filter(workspace=workspace)
    people = Membership.objects.filter(workspace=workspace)
    text = CharField()
    rows = (
        accounts.order_by()
        .annotate(kind=Value("account"), c_public=Cast("public_id", text), c_name=F("name"), c_more=F("platform"))
        .annotate(c_id=F("pk"), c_last=Value(""))
        .values_list("kind", "c_id", "c_public", "c_name", "c_more", "c_last")
        .union(
            campaigns.order_by()
            .annotate(kind=Value("campaign"), c_public=Cast("public_id", text), c_name=F("name"), c_more=Value(""))
            .annotate(c_id=F("pk"), c_last=Value(""))
            .values_list("kind", "c_id", "c_public", "c_name", "c_more", "c_last"),
            people.order_by()
            .annotate(kind=Value("person"), c_public=Cast("user_id", text), c_name=F("user__username"))
            .annotate(c_id=F("user_id"), c_more=F("user__first_name"), c_last=F("user__last_name"))
            .values_list("kind", "c_id", "c_public", "c_name", "c_more", "c_last"),
            all=True,
        )
    )
    found: dict[str, list[Choice]] = {"account": [], "campaign": [], "person": []}
    for kind, pk, public, name, more, last in rows:
        if kind == "person":
            found[kind].append(Choice(pk, str(pk), f"{more} {last}".strip() or name))
        else:
            found[kind].append(Choice(pk, str(UUID(str(public))), name, more))
    for items in found.values():
        items.sort(key=lambda item: (item.platform, item.name.casefold(), item.id))
    return Choices(tuple(found["account"]), tuple(found["campaign"]), tuple(found["person"]))


def labels(workspace: Workspace) -> list[str]:
    """The labels of the latest posts that have some, by name."""
    rows = ContentItem.objects.within(workspace).exclude(labels=[]).order_by("-pk")
    found = {str(label) for item in rows.values_list("labels", flat=True)[:LOOKED_THROUGH] for label in item}
    return sorted(found, key=str.casefold)[:MOST_LABELS]


def label_counts(workspace: Workspace) -> dict[str, int]:
    """The labels of the latest COUNTED posts, by name, with how many of those have each."""
    rows = ContentItem.objects.within(workspace).order_by("-pk")
    held = rows.values_list("labels", flat=True)[:COUNTED]
    found = Counter(str(label) for labels_of_one in held for label in set(labels_of_one))
    return {label: found[label] for label in sorted(found, key=str.casefold)}
