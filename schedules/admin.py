"""All data of the product's centre, for operators. Rows are written by services: the admin shows them and calls the verbs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces.access import actor_of
from alwrity_scheduler.workspaces.roles import Action
from schedules import models
from schedules.notifications.models import Notice
from schedules.services import control, jobs, lifecycle
from schedules.web.admin_parts import NamedBlanksFilter, ReadOnlyAdmin, ReadOnlyInline, VisibleAdmin, each, open_link
from schedules.web.templatetags.ui import job_pill, schedule_pill

admin.site.site_header = admin.site.site_title = "ALwrity Scheduler"
admin.site.index_title = "All data"


class TargetInline(ReadOnlyInline):
    model = models.Target
    fields = ["account", "offset_seconds", "title", "text"]


class ExceptionInline(ReadOnlyInline):
    model = models.ScheduleException
    fields = ["nominal_local", "action", "moved_to_local"]
    verbose_name_plural = "changed runs"


@admin.register(models.Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = [
        "content",
        "status",
        "rule_kind",
        "expression",
        "timezone",
        "start_local",
        "priority",
        "workspace",
        "created_at",
    ]
    list_filter = ["state", "rule_kind", "priority", "workspace", "timezone"]
    list_select_related = ["content", "workspace"]
    search_fields = ["content__title", "content__text", "expression", "=public_id"]
    date_hierarchy = "created_at"
    inlines = [TargetInline, ExceptionInline]
    readonly_fields = ["product_page"]
    actions = ["pause", "resume", "clone", "archive"]

    @admin.display(description="state", ordering="state")
    def status(self, row: models.Schedule) -> SafeString:
        return schedule_pill(row.state)

    @admin.display(description="in the product")
    def product_page(self, row: models.Schedule) -> SafeString:
        return open_link(reverse("web:schedule", args=[row.public_id]))

    @admin.action(description="Pause the selected schedules", permissions=["view"])
    def pause(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(
            self,
            request,
            rows,
            lambda row, actor, now: lifecycle.pause(schedule=row, actor=actor, now=now),
            done="Paused",
        )

    @admin.action(description="Resume the selected schedules", permissions=["view"])
    def resume(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(
            self,
            request,
            rows,
            lambda row, actor, now: lifecycle.resume(schedule=row, actor=actor, now=now),
            done="Resumed",
        )

    @admin.action(description="Clone the selected schedules as drafts", permissions=["view"])
    def clone(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        def call(row: Any, actor: Any, now: Any) -> Any:
            return lifecycle.clone(schedule=row, actor=actor, now=now, person=request.user)  # type: ignore[arg-type]

        each(self, request, rows, call, done="Cloned", action=Action.WRITE)

    @admin.action(description="Archive the selected schedules", permissions=["view"])
    def archive(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(
            self,
            request,
            rows,
            lambda row, actor, now: lifecycle.archive(schedule=row, actor=actor, now=now),
            done="Archived",
        )


class AttemptInline(ReadOnlyInline):
    model = models.Attempt
    fields = [
        "purpose",
        "no",
        "started_at",
        "finished_at",
        "outcome",
        "status_code",
        "error_class",
        "message",
        "worker",
    ]


@admin.register(models.Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = [
        "schedule",
        "status",
        "account",
        "run_at",
        "attempt_count",
        "error_message",
        "finished_at",
        "workspace",
    ]
    list_filter = ["state", ("error_class", NamedBlanksFilter), "account__platform", "account", "workspace"]
    list_select_related = ["schedule__content", "account", "workspace"]
    search_fields = [
        "schedule__content__title",
        "account__name",
        "error_message",
        "remote_id",
        "=public_id",
        "=idempotency_key",
    ]
    date_hierarchy = "run_at"
    inlines = [AttemptInline]
    readonly_fields = ["product_page"]
    actions = ["cancel", "retry", "run_now"]

    @admin.display(description="state", ordering="state")
    def status(self, row: models.Job) -> SafeString:
        return job_pill(row.state)

    @admin.display(description="in the product")
    def product_page(self, row: models.Job) -> SafeString:
        return open_link(reverse("web:job", args=[row.public_id]))

    @admin.action(description="Cancel the selected jobs", permissions=["view"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(self, request, rows, lambda row, actor, now: jobs.cancel(job=row, actor=actor, now=now), done="Cancelled")

    @admin.action(description="Retry the selected jobs", permissions=["view"])
    def retry(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(
            self,
            request,
            rows,
            lambda row, actor, now: jobs.retry(job=row, actor=actor, now=now),
            done="To be tried again",
        )

    @admin.action(description="Publish the selected jobs now", permissions=["view"])
    def run_now(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(
            self,
            request,
            rows,
            lambda row, actor, now: jobs.run_now(job=row, actor=actor, now=now),
            done="Going out now",
        )


@admin.register(models.Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["job", "purpose", "no", "started_at", "outcome", "status_code", "error_class", "message", "worker"]
    list_filter = [
        ("outcome", NamedBlanksFilter),
        "purpose",
        ("error_class", NamedBlanksFilter),
        "status_code",
        "job__account__platform",
    ]
    list_select_related = ["job__schedule__content", "job__account"]
    search_fields = ["=idempotency_key", "message", "=job__public_id"]
    date_hierarchy = "started_at"


@admin.register(models.Engagement)
class EngagementAdmin(ReadOnlyAdmin):
    list_display = ["job", "measured_at", "values", "message"]
    list_filter = ["job__account__platform"]
    list_select_related = ["job__schedule__content", "job__account"]
    search_fields = ["message", "=job__public_id"]
    date_hierarchy = "measured_at"


@admin.register(models.JobCheck)
class JobCheckAdmin(ReadOnlyAdmin):
    list_display = ["job", "purpose", "state", "run_at", "tries", "finished_at"]
    list_filter = ["state", "purpose"]
    list_select_related = ["job__schedule__content", "job__account"]
    search_fields = ["=job__public_id"]
    date_hierarchy = "run_at"


@admin.register(models.Occurrence)
class OccurrenceAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "nominal_local", "fires_at", "cause", "tzdata_version"]
    list_filter = ["cause", ("tzdata_version", NamedBlanksFilter)]
    list_select_related = ["schedule__content"]
    search_fields = ["schedule__content__title"]
    date_hierarchy = "fires_at"


@admin.register(models.AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    list_display = ["at", "action", "actor_label", "object_type", "object_label", "workspace_ref", "seq"]
    list_filter = ["action", "object_type", "actor_kind"]
    search_fields = ["object_label", "actor_label", "=object_id", "=request_id"]
    date_hierarchy = "at"


@admin.register(models.AuditChain)
class AuditChainAdmin(ReadOnlyAdmin):
    list_display = ["chain", "length", "hash"]


class VariantInline(ReadOnlyInline):
    model = models.ContentVariant
    fields = ["platform", "title", "text", "link", "hashtags"]


class MediaInline(ReadOnlyInline):
    model = models.ContentMedia
    fields = ["position", "asset"]


@admin.register(models.ContentItem)
class ContentItemAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "content_type", "campaign", "workspace", "version", "created_at", "updated_at"]
    list_filter = ["content_type", "campaign", "workspace"]
    list_select_related = ["campaign", "workspace"]
    search_fields = ["title", "text", "=public_id"]
    date_hierarchy = "created_at"
    inlines = [VariantInline, MediaInline]


@admin.register(models.Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "created_at"]
    list_filter = ["workspace"]
    search_fields = ["name"]
    date_hierarchy = "created_at"


@admin.register(models.Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "role",
        "host",
        "pid",
        "started_at",
        "beat_at",
        "stopped_at",
        "in_flight",
        "completed_count",
        "clock_skew_ms",
    ]
    list_filter = ["role", "host"]
    search_fields = ["name", "host"]


@admin.register(models.Duty)
class DutyAdmin(VisibleAdmin):
    """Operators set how often a duty runs, and whether it does; the engine writes the rest.

    With the distributed engine they do it under Periodic tasks, which these rows follow.
    """

    list_display = ["name", "every_seconds", "enabled", "next_at", "last_run_at", "last_duration_ms", "last_result"]
    list_filter = ["enabled"]
    search_fields = ["name"]
    fields = ["name", "every_seconds", "enabled", "next_at", "last_run_at", "last_duration_ms", "last_result"]
    readonly_fields = ["name", "next_at", "last_run_at", "last_duration_ms", "last_result"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return settings.ENGINE["mode"] == "embedded" and super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.EngineControl)
class EngineControlAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "paused_at"]
    actions = ["pause_everything", "resume_everything"]

    @admin.action(description="Pause everything")
    def pause_everything(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._switch(request, control.pause_everything, "Everything is paused. Calls under way finish.")

    @admin.action(description="Resume everything")
    def resume_everything(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._switch(request, control.resume_everything, "Publishing goes on.")

    def _switch(self, request: HttpRequest, call: Any, words: str) -> None:
        if not request.user.is_superuser:
            self.message_user(request, "Only an administrator may pause or resume everything.", "error")
            return
        call(actor=actor_of(request), now=clock.now())
        self.message_user(request, words)


@admin.register(models.Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ("schedule", "state", "requested_label", "requested_at", "decided_label", "decided_at")
    list_filter = ("state", "workspace")
    list_select_related = ("schedule__content",)
    search_fields = ("schedule__content__title", "requested_label", "decided_label")
    date_hierarchy = "requested_at"


@admin.register(models.ReviewComment)
class ReviewCommentAdmin(ReadOnlyAdmin):
    list_display = ("schedule", "label", "text", "at")
    list_select_related = ("schedule__content",)
    search_fields = ("text", "label")


@admin.register(models.ReviewPolicy)
class ReviewPolicyAdmin(ReadOnlyAdmin):
    """Rules are set on the page Review: here one looks."""

    list_display = ("workspace", "account", "required", "allow_own", "remind_after_hours")
    list_filter = ("workspace", "required")
    list_select_related = ("workspace", "account")


@admin.register(models.ReviewLink)
class ReviewLinkAdmin(ReadOnlyAdmin):
    list_display = ("review", "label", "may_decide", "expires_at", "revoked_at", "opened_at")
    list_select_related = ("review__schedule__content",)


@admin.register(models.ContentVersion)
class ContentVersionAdmin(ReadOnlyAdmin):
    list_display = ["content", "number", "author", "at"]
    list_select_related = ["content"]
    search_fields = ["content__title", "content__text"]


@admin.register(models.ContentTemplate, models.HashtagGroup)
class LibraryAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "updated_at"]
    list_select_related = ["workspace"]
    search_fields = ["name"]


@admin.register(models.PostingSlot)
class PostingSlotAdmin(ReadOnlyAdmin):
    list_display = ["account", "weekday", "time"]
    list_select_related = ["account"]


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What people were told: a superuser sees everybody's, others their own."""

    list_display = ("kind", "user", "workspace", "count", "left", "last_at", "read_at", "settled_at")
    list_filter = ("kind", "needs_act")
    list_select_related = ("user", "workspace")
    search_fields = ("key",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        everybody = Notice.objects.order_by("-last_at", "-id")
        return everybody if request.user.is_superuser else everybody.visible_to(request.user)


@admin.register(models.Milestone)
class MilestoneAdmin(ReadOnlyAdmin):
    list_display = ["name", "due_on", "campaign", "workspace", "done_at", "removed_at"]
    list_filter = ["workspace"]
    list_select_related = ["campaign", "workspace"]
    search_fields = ["name"]
    date_hierarchy = "due_on"


@admin.register(models.Dependency)
class DependencyAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "waits_for", "created_at"]
    list_select_related = ["schedule__content", "waits_for__content"]
    search_fields = ["schedule__content__title", "waits_for__content__title"]
