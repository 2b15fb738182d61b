"""Who may approve a post, and whether an approval still covers it. Pure.

A policy stands for a workspace, or for one of its accounts, whose own goes before the workspace's. A post is asked for by the
policies of all its accounts: who decides must satisfy each of those that ask.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from schedules.domain.speech import gettext as _

MOST_REMINDERS = 3


class ReviewState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    CHANGES = "changes"  # changes requested
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"  # the post was edited meanwhile, and is asked for anew

    @property
    def label(self) -> str:
        return {
            ReviewState.WAITING: _("Waiting for approval"),
            ReviewState.APPROVED: _("Approved"),
            ReviewState.CHANGES: _("Changes requested"),
            ReviewState.WITHDRAWN: _("Withdrawn"),
            ReviewState.REPLACED: _("Edited and asked for again"),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """required: posts are published only with an approval. reviewers: ids of those who decide; empty means everybody whose
    role may approve. allow_own: an author may approve what is their own."""

    required: bool = False
    allow_own: bool = False
    reviewers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What an approval speaks of: a digest of the words and files, and one for each account's own words."""

    content: str = ""
    targets: Mapping[str, str] = field(default_factory=dict)

    def covers(self, other: Covered) -> bool:
        """The same words on the same accounts, or on fewer of them. Times are not part of it."""
        return (
            bool(self.content)
            and self.content == other.content
            and all(self.targets.get(account) == words for account, words in other.targets.items())
        )


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def is_required(policies: Iterable[Policy]) -> bool:
    return any(policy.required for policy in policies)


def why_not(policies: Iterable[Policy], *, person_id: int, authors: Iterable[int], role_approves: bool) -> str:
    """Why this person may not decide; empty when they may. `authors`: whose post it is."""
    asking = list(policies)
    is_own = person_id in set(authors)
    if is_own and not all(policy.allow_own for policy in asking or [Policy()]):
        return _("Nobody approves their own post here. Somebody else has to look at it.")
    for policy in asking:
        if policy.reviewers and person_id not in policy.reviewers:
            return _("Other people are named to review posts on these accounts.")
        if not policy.reviewers and not role_approves:
            return _("Your role may not approve posts.")
    return "" if asking or role_approves else _("Your role may not approve posts.")


def next_reminder(sent: int, every: timedelta | None) -> timedelta | None:
    """How long after the `sent`-th notice the next one goes; None when there is none. The first is the request itself."""
    return every if every is not None and sent <= MOST_REMINDERS else None
