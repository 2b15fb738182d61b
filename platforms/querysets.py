"""The vocabulary of accounts and media."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models

from alwrity_scheduler.workspaces.querysets import VisibleQuerySet

Row = TypeVar("Row", bound=models.Model, covariant=True)


class AccountQuerySet(VisibleQuerySet[Row]):
    def active(self) -> Self:
        """Accounts that may publish."""
        return self.filter(state="active")

    def by_handle(self, platform: str, handle: str) -> Self:
        return self.filter(platform=platform, handle=handle)


class AppQuerySet(VisibleQuerySet[Row]):
    """Sign-in apps, and attempts at signing in."""


class GroupQuerySet(VisibleQuerySet[Row]):
    """Groups of accounts."""


class OfAccountQuerySet(VisibleQuerySet[Row]):
    """Rows that belong to an account, and through it to a workspace."""

    workspace_path = "account__workspace_id"


class OfMailingQuerySet(VisibleQuerySet[Row]):
    """Rows that belong to a mailing, and through its account to a workspace."""

    workspace_path = "mailing__account__workspace_id"


class MediaQuerySet(VisibleQuerySet[Row]):
    def with_checksum(self, workspace: Any, checksum: str) -> Self:
        return self.filter(workspace=workspace, checksum=checksum)

    def about(self, words: str) -> Self:
        """Whose name or alternative text holds these words."""
        return self.filter(models.Q(original_name__icontains=words) | models.Q(alt_text__icontains=words))

    def without_alt(self) -> Self:
        """Pictures that nobody has described."""
        return self.filter(kind="image", alt_text="")


class MediaManager(models.Manager.from_queryset(MediaQuerySet)):  # type: ignore[misc]
    """The files that are there; those in the bin are in `MediaAsset.every`."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(deleted_at=None)
