"""What lists can be narrowed by: one FilterSet a list, for the API and the screens alike.

Rows come in through `visible_to`.
Times are half-open: `since` is in, `until` is out.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from django_filters.fields import IsoDateTimeField
from django_filters.widgets import BooleanWidget

from alwrity_scheduler.oauth.models import App, Permission
from alwrity_scheduler.security.models import SecurityEvent
from platforms.errors import ERROR_CLASSES
from platforms.models import AccountGroup, AccountState, MediaAsset, MediaKind, PlatformAccount, PlatformApp
from schedules.domain.approval import ReviewState
from schedules.domain.recovery import Cause
from schedules.domain.states import JobState, ScheduleState
from schedules.models import AuditLog, ContentItem, Job, Review, Schedule, Target
from schedules.models.content import ContentType
from schedules.querysets.words import HoldsWord
from schedules.reads import listing
from schedules.reads.media import used


class AnyOf(filters.BaseInFilter, filters.ChoiceFilter):  # type: ignore[misc]
    """One or several of the choices, separated by commas."""


class _MomentField(IsoDateTimeField):  # type: ignore[misc]
    """In UTC: what stands a day from it by its offset is a time to Python and none to every database."""

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        try:
            return None if found is None else found.astimezone(UTC)
        except OverflowError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = _MomentField


class NoFilter(filters.FilterSet):  # type: ignore[misc]
    """For a list that is short enough to be taken as it is."""


class _YesNoField(forms.NullBooleanField):
    """Refuses what is neither yes nor no, where Django takes it for nothing said."""

    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]
        found = super().to_python(value)
        if found is None and value not in (None, "", "unknown"):
            raise forms.ValidationError(_("Write true or false."), code="invalid")
        return found


class _YesNoWidget(BooleanWidget):  # type: ignore[misc]
    """Hands on what it cannot read, so that the field may refuse it."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        found = super().value_from_datadict(data, files, name)
        return data.get(name) if found is None else found


class YesNo(filters.BooleanFilter):  # type: ignore[misc]
    field_class = _YesNoField

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"widget": _YesNoWidget, **options})


class AccountFilter(filters.FilterSet):  # type: ignore[misc]
    q = filters.CharFilter(method="with_words")
    state = AnyOf(choices=AccountState.choices)
    platform = filters.CharFilter()
    group = filters.UUIDFilter(field_name="account_groups__public_id")

    class Meta:
        model = PlatformAccount
        fields: tuple[str, ...] = ()

    def with_words(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value) | Q(handle__icontains=value))


class GroupFilter(filters.FilterSet):  # type: ignore[misc]
    name = filters.CharFilter()

    class Meta:
        model = AccountGroup
        fields: tuple[str, ...] = ()


class SecurityFilter(filters.FilterSet):  # type: ignore[misc]
    kind = filters.CharFilter()
    who = filters.CharFilter()
    address = filters.CharFilter()
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = SecurityEvent
        fields: tuple[str, ...] = ()


class AppFilter(filters.FilterSet):  # type: ignore[misc]
    platform = filters.CharFilter()

    class Meta:
        model = PlatformApp
        fields: tuple[str, ...] = ()


class ClientFilter(filters.FilterSet):  # type: ignore[misc]
    class Meta:
        model = App
        fields: tuple[str, ...] = ()


class PermissionFilter(filters.FilterSet):  # type: ignore[misc]
    class Meta:
        model = Permission
        fields: tuple[str, ...] = ()


class ContentFilter(filters.FilterSet):  # type: ignore[misc]
    q = filters.CharFilter(method="with_words")
    content_type = AnyOf(choices=ContentType.choices)
    campaign = filters.CharFilter(field_name="campaign__name")
    label = filters.CharFilter(method="with_label")

    class Meta:
        model = ContentItem
        fields: tuple[str, ...] = ()

    def with_label(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(HoldsWord("labels", value))

    def with_words(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(title__icontains=value) | Q(text__icontains=value))


class ReviewFilter(filters.FilterSet):  # type: ignore[misc]
    state = AnyOf(choices=[(state.value, state.label) for state in ReviewState])
    schedule = filters.UUIDFilter(field_name="schedule__public_id")

    class Meta:
        model = Review
        fields: tuple[str, ...] = ()


class MediaFilter(filters.FilterSet):  # type: ignore[misc]
    """folder: a folder's id, or `none` for files in no folder. unused: files that no content shows. no_alt: pictures that nobody
    has described."""

    q = filters.CharFilter(method="with_words")
    kind = AnyOf(choices=MediaKind.choices)
    folder = filters.CharFilter(method="in_folder")
    unused = YesNo(method="not_used")
    no_alt = YesNo(method="undescribed")

    class Meta:
        model = MediaAsset
        fields: tuple[str, ...] = ()

    def with_words(self, rows: Any, name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.about(value)
        return found

    def in_folder(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value == "none":
            return rows.filter(folder=None)
        try:
            return rows.filter(folder__public_id=UUID(value))
        except ValueError:
            return rows.none()

    def not_used(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return rows.filter(~used() if value else used())

    def undescribed(self, rows: Any, name: str, value: bool) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.without_alt() if value else rows.exclude(kind="image", alt_text="")
        return found


class ScheduleFilter(filters.FilterSet):  # type: ignore[misc]
    """runs_since, runs_until: those with a time in that span. needs_you: those of which a post waits for a person."""

    state = AnyOf(choices=[(state.value, state.label) for state in ScheduleState])
    account = filters.UUIDFilter(method="on_account")
    platform = filters.CharFilter(method="on_platform")
    kind = filters.ChoiceFilter(choices=[("once", "once"), ("recurring", "recurring")], method="of_kind")
    content = filters.UUIDFilter(field_name="content__public_id")
    content_type = AnyOf(choices=ContentType.choices, field_name="content__content_type")
    campaign = filters.CharFilter(field_name="content__campaign__name")
    owner = filters.CharFilter(field_name="created_by__username")
    label = filters.CharFilter(method="with_label")
    tag = filters.CharFilter(method="with_tag")
    needs_you = YesNo(method="needing_a_person")
    runs_since = MomentFilter(method="later")
    runs_until = MomentFilter(method="later")
    q = filters.CharFilter(method="with_words")

    class Meta:
        model = Schedule
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        since, until = self.form.cleaned_data.get("runs_since"), self.form.cleaned_data.get("runs_until")
        return listing.in_span(rows, since=since, until=until) if since or until else rows

    def later(self, rows: QuerySet[Any], name: str, value: object) -> QuerySet[Any]:
        """Both ends of the span are taken together, when all else has narrowed the rows."""
        return rows

    def on_account(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        return rows.filter(pk__in=Target.objects.filter(account__public_id=value).values("schedule"))

    def on_platform(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(pk__in=Target.objects.filter(account__platform=value).values("schedule"))

    def of_kind(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(rule_kind="once") if value == "once" else rows.exclude(rule_kind="once")

    def with_label(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(HoldsWord("content__labels", value))

    def with_tag(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(HoldsWord("tags", value))

    def needing_a_person(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        jobs = Job.objects.visible_to(self.request.user) if self.request else Job.objects.all()
        waiting = jobs.needing_a_person().values("schedule")
        return rows.filter(pk__in=waiting) if value else rows.exclude(pk__in=waiting)

    def with_words(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(content__title__icontains=value)
            | Q(content__text__icontains=value)
            | Q(content__campaign__name__icontains=value)
        )


class JobFilter(filters.FilterSet):  # type: ignore[misc]
    """`since` and `until` look at the time a person wanted, which stays when retries move the run."""

    q = filters.CharFilter(method="with_words")
    state = AnyOf(choices=[(state.value, state.label) for state in JobState])
    platform = filters.CharFilter(field_name="account__platform")
    content_type = AnyOf(field_name="schedule__content__content_type", choices=ContentType.choices)
    error_class = AnyOf(choices=[(name, name) for name in ERROR_CLASSES])
    account = filters.UUIDFilter(method="of_account")
    schedule = filters.UUIDFilter(method="of_schedule")
    since = MomentFilter(field_name="scheduled_for", lookup_expr="gte")
    until = MomentFilter(field_name="scheduled_for", lookup_expr="lt")

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()

    # the number first and not by a join: a million jobs are not walked through to find those of one account or schedule
    def of_account(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        return rows.filter(account_id=Subquery(PlatformAccount.objects.filter(public_id=value).values("pk")[:1]))

    def of_schedule(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        return rows.filter(schedule_id=Subquery(Schedule.objects.filter(public_id=value).values("pk")[:1]))

    def with_words(self, rows: Any, name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.about(value)
        return found


class PostFilter(JobFilter):
    """Posts that are out: the jobs' own filters, without those that are of no use there."""

    q = None
    state = None  # type: ignore[assignment]
    error_class = None  # type: ignore[assignment]
    campaign = filters.CharFilter(field_name="schedule__content__campaign__name")

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()


class RecoveryFilter(filters.FilterSet):  # type: ignore[misc]
    """What the recovery desk can be narrowed by."""

    cause = filters.ChoiceFilter(choices=[(cause.value, cause.label) for cause in Cause], method="for_cause")
    account = filters.UUIDFilter(field_name="account__public_id")
    q = filters.CharFilter(method="with_words")

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()

    def for_cause(self, rows: Any, name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.with_cause(Cause(value))
        return found

    def with_words(self, rows: Any, name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.about(value)
        return found


class AuditFilter(filters.FilterSet):  # type: ignore[misc]
    object_type = filters.CharFilter()
    object_id = filters.CharFilter()
    action = filters.CharFilter()
    actor = filters.CharFilter(field_name="actor_id")
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditLog
        fields: tuple[str, ...] = ()


class EventFilter(filters.FilterSet):  # type: ignore[misc]
    """type: names separated by commas, `job.*` for a group. object: `job`, or one thing as `job:<id>`."""

    type = filters.CharFilter(method="of_types")
    object = filters.CharFilter(method="about")
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditLog
        fields: tuple[str, ...] = ()

    def of_types(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        meant = Q()
        for part in filter(None, (part.strip() for part in value.split(","))):
            group = part.removesuffix("*")
            meant |= Q(action=part) if group == part else Q(action__startswith=group)
        return rows.filter(meant)

    def about(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        kind, colon, public_id = value.partition(":")
        return rows.filter(object_type=kind, object_id=public_id) if colon else rows.filter(object_type=kind)
