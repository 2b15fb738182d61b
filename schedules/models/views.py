"""What a person named and kept of a page: its filters, as they stand in the address."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.models import Workspace
from schedules.querysets.views import SavedViewQuerySet

PAGES = ("calendar", "timeline", "list", "jobs", "overlay")


class SavedView(models.Model):
    """A named query string of one page. `overlay`: a layer of the calendar, to be laid over whatever is shown.

    Its writer's own, or the whole workspace's when `shared`. Written by `services.views`; goes when its writer removes it.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=12, choices=[(name, name) for name in PAGES])
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            # leads: of(person, workspace, page)
            models.UniqueConstraint(fields=["workspace", "page", "person", "name"], name="saved_view_name"),
            models.CheckConstraint(condition=Q(page__in=PAGES), name="saved_view_page"),
        ]

    def __str__(self) -> str:
        return self.name
