"""The renewal of a sign-in as work: one row an account. Written by `services.refreshing`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from platforms.models import PlatformAccount
from platforms.querysets import OfAccountQuerySet
from schedules.engine.work import WorkRow, work_constraints

REFRESH_INDEXES, REFRESH_CONSTRAINTS = work_constraints("refresh")


class CredentialRefresh(WorkRow):
    """Renew this account's sign-in at `run_at`. One at a time: refresh tokens work once (RFC 9700). Stays with its account."""

    account = models.OneToOneField(PlatformAccount, models.CASCADE, related_name="refresh_row")

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["run_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["pending", "running", "done"]), name="refresh_state"),
            *REFRESH_CONSTRAINTS,
        ]
        indexes = REFRESH_INDEXES

    def __str__(self) -> str:
        return f"sign-in of {self.account}"
