"""The vocabulary of accounts and media."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from alwrity_scheduler.workspaces.querysets import VisibleQuerySet

Row = TypeVar("Row", bound=models.Model, covariant=True)


def granted_account_ids(user: Any) -> Any:
    """Of a limited person or token: the accounts granted to them, as a lazy value for `__in`."""
    from platforms.models import AccountGrant

    token = getattr(user, "api_token", None)
    rows = AccountGrant.objects.order_by()
    mine = rows.filter(token=token) if token is not None else rows.filter(membership__user=user.pk)
    return mine.values("account_id")


class AccountQuerySet(VisibleQuerySet[Row]):
    def limits(self, user: Any) -> Q | None:
        return Q(pk__in=granted_account_ids(user))

    def active(self) -> Self:
        """Accounts that may publish."""
        return self.filter(state="active")

    def by_handle(self, platform: str, handle: str) -> Self:
        return self.filter(platform=platform, handle=handle)


class AppQuerySet(VisibleQuerySet[Row]):
    """Sign-in apps, and attempts at signing in."""


class GroupQuerySet(VisibleQuerySet[Row]):
    """Groups of accounts. A limited person sees those with an account of theirs in it."""

    def limits(self, user: Any) -> Q | None:
        inside = self.model.accounts.through.objects.filter(  # type: ignore[attr-defined]
            accountgroup_id=OuterRef("pk"), platformaccount_id__in=granted_account_ids(user)
        )
        return Q(Exists(inside))


class OfAccountQuerySet(VisibleQuerySet[Row]):
    """Rows that belong to an account, and through it to a workspace."""

    workspace_path = "account__workspace_id"

    def limits(self, user: Any) -> Q | None:
        return Q(account_id__in=granted_account_ids(user))


class OfMailingQuerySet(VisibleQuerySet[Row]):
    """Rows that belong to a mailing, and through its account to a workspace."""

    workspace_path = "mailing__account__workspace_id"

    def limits(self, user: Any) -> Q | None:
        return Q(mailing__account_id__in=granted_account_ids(user))


class MediaQuerySet(VisibleQuerySet[Row]):
    """The library is the whole workspace's. An outside reviewer sees the files of the posts they review: who names the users
    of files (`shown_for_review`) stands above."""

    shown_for_review: ClassVar[Callable[[Any], Q] | None] = None

    def for_review(self, user: Any) -> Q | None:
        ask = MediaQuerySet.shown_for_review
        return None if ask is None else ask(user)

    def with_checksum(self, workspace: Any, checksum: str) -> Self:
        return self.filter(workspace=workspace, checksum=checksum)

    def about(self, words: str) -> Self:
        """Whose name or alternative text holds these words."""
        return self.filter(Q(original_name__icontains=words) | Q(alt_text__icontains=words))

    def without_alt(self) -> Self:
        """Pictures that nobody has described."""
        return self.filter(kind="image", alt_text="")


class MediaManager(models.Manager.from_queryset(MediaQuerySet)):  # type: ignore[misc]
    """The files that are there; those in the bin are in `MediaAsset.every`."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(deleted_at=None)
