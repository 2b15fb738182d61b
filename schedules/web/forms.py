"""Forms that shape what people type into the services' plain values. They check shape; the services check sense.

What a service refuses comes back through `refuse`, at the field it is about.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import Problem
from platforms.models import PlatformAccount
from schedules.domain.misfire import CatchUp
from schedules.domain.recovery import BULK_VERBS, Cause, Verb
from schedules.domain.recurrence import RuleKind
from schedules.domain.states import ScheduleState
from schedules.models import Schedule
from schedules.models.content import ContentType
from schedules.services.content import draft_of
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan, VariantDraft
from schedules.services.recovery import MOST_AT_ONCE, Order, slot
from schedules.web import platform_fields, rules
from schedules.web.platform_fields import SPLIT

UTM = ("source", "medium", "campaign", "term", "content")


class RefusableForm(forms.Form):
    """A form that can show a service's problems: at the field of that name, or above all fields."""

    # the service's field -> this form's field
    names: Mapping[str, str] = {}

    def refuse(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            name = self.names.get(problem.field, problem.field)
            self.add_error(name if name in self.fields else None, problem.message)


class ScheduleFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Search"))
    state = forms.ChoiceField(required=False, label=gettext_lazy("State"))
    account = forms.ChoiceField(required=False, label=gettext_lazy("Account"))

    def __init__(self, data: Any, *, accounts: Sequence[PlatformAccount]) -> None:
        super().__init__(data)
        states = [("", _("All but archived")), *((state.value, state.label) for state in ScheduleState)]
        self.fields["state"].choices = states  # type: ignore[attr-defined]
        self.fields["account"].choices = _account_choices(accounts)  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, str]:
        """What is asked for; an impossible wish counts as none."""
        self.full_clean()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class JobFilter(ScheduleFilter):
    def __init__(self, data: Any, *, accounts: Sequence[PlatformAccount]) -> None:
        super().__init__(data, accounts=accounts)
        del self.fields["state"]


def _account_choices(accounts: Sequence[PlatformAccount]) -> list[tuple[str, str]]:
    return [("", _("All accounts")), *((str(account.public_id), account.name) for account in accounts)]


class ConfirmForm(RefusableForm):
    remote_url = forms.URLField(label=gettext_lazy("Address of the post"), max_length=2000, assume_scheme="https")


class ReviewForm(RefusableForm):
    """An answer to a request for approval, or a remark."""

    names = {"state": "comment", "text": "comment"}
    comment = forms.CharField(
        required=False, max_length=5000, label=gettext_lazy("Comment"), widget=forms.Textarea(attrs={"rows": 3})
    )


class ReviewLinkForm(RefusableForm):
    label = forms.CharField(max_length=120, label=gettext_lazy("For whom"))
    days = forms.IntegerField(min_value=1, max_value=60, initial=7, label=gettext_lazy("Works for so many days"))
    may_decide = forms.BooleanField(required=False, initial=True, label=gettext_lazy("May approve and ask for changes"))


class PolicyForm(RefusableForm):
    account = forms.UUIDField(required=False, widget=forms.HiddenInput)
    required = forms.BooleanField(required=False, label=gettext_lazy("Posts need approval before they go out"))
    allow_own = forms.BooleanField(required=False, label=gettext_lazy("Authors may approve their own posts"))
    reviewers = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("Reviewers"),
        help_text=gettext_lazy("Nobody named: everybody whose role may approve."),
        widget=forms.CheckboxSelectMultiple,
    )
    remind_after_hours = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=720,
        label=gettext_lazy("Remind after so many hours"),
        help_text=gettext_lazy("At most three times. Empty: never."),
    )

    def __init__(self, *args: Any, people: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(person.pk), person.get_full_name() or person.get_username()) for person in people]
        self.fields["reviewers"].choices = choices  # type: ignore[attr-defined]


class MoveForm(RefusableForm):
    names = {"to_local": "time"}
    nominal = forms.CharField(widget=forms.HiddenInput)
    date = forms.DateField(label=gettext_lazy("Date"), widget=forms.DateInput(attrs={"type": "date"}))
    time = forms.TimeField(label=gettext_lazy("Time"), widget=forms.TimeInput(attrs={"type": "time"}))

    def to_local(self) -> datetime:
        return datetime.combine(self.cleaned_data["date"], self.cleaned_data["time"])


def _date(**kwargs: Any) -> forms.DateField:
    return forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


def _minutes(label: Any, **kwargs: Any) -> forms.FloatField:
    return forms.FloatField(
        required=False,
        min_value=0,
        max_value=525_600,
        label=label,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
        **kwargs,
    )


class RecoveryFilter(JobFilter):
    cause = forms.ChoiceField(required=False, choices=[("", ""), *((cause.value, cause.label) for cause in Cause)])


def _moment(**kwargs: Any) -> forms.DateTimeField:
    """A wall-clock time, naive: the zone is the service's business."""
    return _Wall(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"), **kwargs)


class _Wall(forms.DateTimeField):
    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None)
        except ValueError as error:
            raise forms.ValidationError(_("Write a date and a time."), code="invalid") from error


class ReslotForm(RefusableForm):
    at = _moment(label=gettext_lazy("New time"))
    seen_absent = forms.BooleanField(required=False, label=gettext_lazy("I have looked: it is not there"))


class BulkForm(RefusableForm):
    """One verb for the ticked posts."""

    verb = forms.ChoiceField(choices=[(verb.value, verb.value) for verb in BULK_VERBS])
    job = forms.TypedMultipleChoiceField(required=False, coerce=UUID)
    at = _moment(required=False, label=gettext_lazy("From"))
    gap = _minutes(gettext_lazy("Minutes between two of one account"))
    seen_absent = forms.BooleanField(required=False, label=gettext_lazy("I have looked: they are not there"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        # the ids name what a queryset then looks up among the person's own; a word that is no id names nothing
        named = data.getlist("job")[:MOST_AT_ONCE] if data is not None else []
        self.fields["job"].choices = [(item, item) for item in named]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("job") and not self.data.get("all"):
            raise forms.ValidationError(_("Tick the posts first."))
        return given

    def order(self, now: datetime) -> Order:
        """The order in the person's own zone."""
        given = self.cleaned_data
        at = given.get("at")
        return Order(
            verb=Verb(given["verb"]),
            at=slot(to_local=at, timezone=timezone.get_current_timezone_name(), now=now) if at else None,
            gap=None if given.get("gap") is None else timedelta(minutes=given["gap"]),
            seen_absent=given["seen_absent"],
        )


class ComposerForm(RefusableForm):
    """A post, its accounts and its times. One class for new, edit and split, with and without JavaScript."""

    names = {
        "start": "date",
        "start_local": "date",
        "kind": "when",
        "timezone": "zone",
        "until": "until",
        "count": "count",
        "limit": "count",
        "grace_seconds": "grace_minutes",
        "retry_base_seconds": "retry_base_minutes",
        "retry_cap_seconds": "retry_cap_minutes",
        "deadline_seconds": "deadline_minutes",
        "offset_seconds": "accounts",
        "file": "upload",
        "name": "save_as",
        "DTSTART": "rrule",
        "FREQ": "rrule",
    }

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    title = forms.CharField(required=False, max_length=300, label=gettext_lazy("Title"))
    text = forms.CharField(
        required=False,
        strip=False,
        max_length=200_000,
        label=gettext_lazy("Text"),
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    content_type = forms.ChoiceField(required=False, label=gettext_lazy("Type"), choices=ContentType.choices)
    link = forms.CharField(required=False, max_length=2000, label=gettext_lazy("Link"), widget=forms.URLInput)
    hashtags = forms.CharField(required=False, max_length=1000, label=gettext_lazy("Hashtags"))
    labels = forms.CharField(required=False, max_length=500, label=gettext_lazy("Labels"))
    campaign = forms.CharField(required=False, max_length=120, label=gettext_lazy("Campaign"))
    language = forms.CharField(required=False, max_length=16, label=gettext_lazy("Language"))
    notes = forms.CharField(
        required=False,
        max_length=5000,
        label=gettext_lazy("Notes for the team"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    utm_source = forms.CharField(required=False, max_length=200, label="utm_source")
    utm_medium = forms.CharField(required=False, max_length=200, label="utm_medium")
    utm_campaign = forms.CharField(required=False, max_length=200, label="utm_campaign")
    utm_term = forms.CharField(required=False, max_length=200, label="utm_term")
    utm_content = forms.CharField(required=False, max_length=200, label="utm_content")
    save_as = forms.CharField(required=False, max_length=120, label=gettext_lazy("Name of the template"))
    upload = forms.FileField(required=False, label=gettext_lazy("Add a file"))
    upload_alt = forms.CharField(required=False, max_length=1500, label=gettext_lazy("Alternative text"))
    accounts = forms.MultipleChoiceField(required=False, label=gettext_lazy("Accounts"))

    when = forms.ChoiceField(
        required=False,
        label=gettext_lazy("When"),
        choices=[("now", gettext_lazy("Now")), ("once", gettext_lazy("At a time")), ("repeat", gettext_lazy("Repeat"))],
    )
    date = _date(label=gettext_lazy("Date"))
    time = forms.TimeField(
        required=False, label=gettext_lazy("Time"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    zone = forms.CharField(
        required=False,
        max_length=64,
        label=gettext_lazy("Time zone"),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
    )
    fold = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Which of the two"),
        choices=[("0", gettext_lazy("the first")), ("1", gettext_lazy("the second"))],
    )
    repeat = forms.ChoiceField(required=False, label=gettext_lazy("How often"), choices=rules.REPEATS)
    interval = forms.IntegerField(required=False, min_value=1, max_value=999, label=gettext_lazy("Every"))
    weekdays = forms.MultipleChoiceField(required=False, label=gettext_lazy("On"), choices=rules.weekdays)
    month_day = forms.ChoiceField(required=False, label=gettext_lazy("Day of the month"), choices=rules.MONTH_DAYS)
    nth = forms.ChoiceField(required=False, label=gettext_lazy("Which"), choices=rules.NTHS)
    nth_day = forms.ChoiceField(required=False, label=gettext_lazy("Weekday"), choices=rules.weekdays)
    cron = forms.CharField(required=False, max_length=1000, label=gettext_lazy("Cron expression"))
    rrule = forms.CharField(
        required=False,
        max_length=10_000,
        label=gettext_lazy("Rule (RFC 5545)"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    ends = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Ends"),
        choices=[
            ("never", gettext_lazy("Never")),
            ("date", gettext_lazy("On a date")),
            ("count", gettext_lazy("After a number of times")),
        ],
    )
    until = _date(label=gettext_lazy("Last day"))
    count = forms.IntegerField(required=False, min_value=1, max_value=100_000, label=gettext_lazy("Times"))

    priority = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        label=gettext_lazy("Priority"),
        choices=[
            (1, gettext_lazy("1 – urgent")),
            (2, "2"),
            (3, gettext_lazy("3 – high")),
            (4, "4"),
            (5, gettext_lazy("5 – normal")),
            (6, "6"),
            (7, "7"),
            (8, gettext_lazy("8 – low")),
            (9, "9"),
            (10, gettext_lazy("10 – last")),
        ],
    )
    catch_up = forms.ChoiceField(
        required=False,
        label=gettext_lazy("After a pause or an outage"),
        choices=[
            (CatchUp.LATEST.value, gettext_lazy("Publish only the latest missed run")),
            (CatchUp.ALL.value, gettext_lazy("Publish every missed run")),
            (CatchUp.SKIP.value, gettext_lazy("Skip missed runs")),
        ],
    )
    grace_minutes = _minutes(gettext_lazy("Counts as missed after (minutes)"))
    max_attempts = forms.IntegerField(required=False, min_value=1, max_value=50, label=gettext_lazy("Attempts at most"))
    retry_base_minutes = _minutes(gettext_lazy("First wait before a retry (minutes)"))
    retry_cap_minutes = _minutes(gettext_lazy("Longest wait (minutes)"))
    deadline_minutes = _minutes(gettext_lazy("Give up after (minutes)"))
    tags = forms.CharField(required=False, max_length=500, label=gettext_lazy("Tags of the schedule"))

    def __init__(
        self,
        *args: Any,
        accounts: Sequence[PlatformAccount],
        media_ids: Iterable[str],
        variants: Sequence[VariantDraft] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.account_rows = list(accounts)
        self.variants = tuple(variants)
        self.fields["accounts"].choices = [(str(row.public_id), row.name) for row in accounts]  # type: ignore[attr-defined]
        # not declared above, because `media` is a form class's name for its style sheets
        self.fields["media"] = forms.MultipleChoiceField(
            required=False, label=_("Media"), choices=[(item, item) for item in media_ids]
        )
        for row in self.account_rows:
            key = str(row.public_id)
            self.fields[f"title-{key}"] = forms.CharField(required=False, max_length=300, label=_("Its own title"))
            self.fields[f"text-{key}"] = forms.CharField(
                required=False,
                strip=False,
                max_length=200_000,
                label=_("Its own text"),
                widget=forms.Textarea(attrs={"rows": 3}),
            )
            self.fields[f"offset-{key}"] = forms.IntegerField(
                required=False, min_value=-10_080, max_value=10_080, label=_("Minutes later than the others")
            )
        self.platforms = list(dict.fromkeys(row.platform for row in self.account_rows))
        for platform in self.platforms:
            self.fields |= platform_fields.fields(platform)
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("id", f"id_{name}")
            if self.is_bound and name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"
                field.widget.attrs["aria-describedby"] = f"err_{name}"

    def as_typed(self) -> ComposerForm:
        """This unbound form as if its initial values had been sent, for the previews of a page that was just opened."""
        data = QueryDict(mutable=True)
        for name in self.fields:
            value = self[name].value()
            if isinstance(value, (list, tuple)):
                data.setlist(name, [str(item) for item in value])
            elif value is not None:
                data[name] = str(value)
        media_ids = [value for value, _label in self.fields["media"].choices]  # type: ignore[attr-defined]
        return ComposerForm(data, accounts=self.account_rows, media_ids=media_ids, variants=self.variants)

    def clean_zone(self) -> str:
        name: str = self.cleaned_data["zone"].strip()
        if name and name not in zoneinfo.available_timezones():
            raise forms.ValidationError(
                _("There is no time zone of this name. Choose one from the list, like Europe/Berlin.")
            )
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        when = data.get("when") or "once"
        if when != "now":
            for name, words in (("date", _("Choose a date.")), ("time", _("Choose a time."))):
                if data.get(name) is None and name not in self.errors:
                    self.add_error(name, words)
        if when == "repeat":
            self._clean_repeat(data)
        return data

    def _clean_repeat(self, data: dict[str, Any]) -> None:
        if data.get("repeat") == "cron" and not data.get("cron", "").strip():
            self.add_error(
                "cron", _("Write five fields: minute, hour, day of month, month, day of week, like 0 9 * * 1-5.")
            )
        if data.get("repeat") == "rrule" and not data.get("rrule", "").strip():
            self.add_error("rrule", _("Write a rule, like FREQ=WEEKLY;BYDAY=MO."))
        if data.get("ends") == "date" and not data.get("until") and "until" not in self.errors:
            self.add_error("until", _("Choose the last day."))
        if data.get("ends") == "count" and not data.get("count") and "count" not in self.errors:
            self.add_error("count", _("Say how many times."))

    def refuse(self, problems: Iterable[Problem]) -> None:
        expression = "cron" if self.cleaned_data.get("repeat") == "cron" else "rrule"
        known = {"expression": expression if self.cleaned_data.get("when") == "repeat" else "when"}
        super().refuse(
            Problem(field=self._named(known.get(item.field, item.field)), message=item.message, code=item.code)
            for item in problems
        )
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"err_{name}"}

    @staticmethod
    def _named(field: str) -> str:
        """`variants.x.link` is the field `variant-x-link` here."""
        return field.replace("variants.", "variant-", 1).replace(".", "-") if field.startswith("variants.") else field

    def variant_drafts(self) -> tuple[VariantDraft, ...]:
        """What each platform gets instead; that of a platform without an account here stays as it is stored."""
        stored = {item.platform: item for item in self.variants}
        made = [
            platform_fields.variant(platform, self.cleaned_data, stored.get(platform)) for platform in self.platforms
        ]
        kept = [item for item in self.variants if item.platform not in self.platforms]
        return (*(item for item in made if item is not None), *kept)

    def draft(self) -> ContentDraft:
        data = self.cleaned_data
        return ContentDraft(
            title=data.get("title", "").strip(),
            text=data.get("text", "").replace("\r\n", "\n").strip(),
            content_type=data.get("content_type") or ContentType.POST.value,
            link=data.get("link", "").strip(),
            hashtags=tuple(filter(None, SPLIT.split(data.get("hashtags", "")))),
            labels=_listed(data.get("labels", "")),
            campaign=data.get("campaign", "").strip(),
            language=data.get("language", "").strip(),
            notes=data.get("notes", "").strip(),
            media_ids=tuple(data.get("media", ())),
            variants=self.variant_drafts(),
            utm={name: words for name in UTM if (words := data.get(f"utm_{name}", "").strip())},
        )

    def targets(self) -> tuple[TargetPlan, ...]:
        data = self.cleaned_data
        return tuple(
            TargetPlan(
                account_id=key,
                offset_seconds=60 * (data.get(f"offset-{key}") or 0),
                title=data.get(f"title-{key}", "").strip() or None,
                text=data.get(f"text-{key}", "").replace("\r\n", "\n").strip() or None,
            )
            for key in data.get("accounts", ())
        )

    def plan(self, now: datetime) -> SchedulePlan:
        """The schedule as typed. "Now" becomes a single time at `now` (aware UTC) in the chosen zone."""
        data = self.cleaned_data
        zone = data.get("zone") or "UTC"
        rule = self._rule(now, zone)
        return SchedulePlan(
            **rule,
            timezone=zone,
            priority=data.get("priority") or 5,
            catch_up=data.get("catch_up") or CatchUp.LATEST.value,
            grace_seconds=_seconds(data.get("grace_minutes")),
            max_attempts=data.get("max_attempts") or 5,
            retry_base_seconds=_or(_seconds(data.get("retry_base_minutes")), 60),
            retry_cap_seconds=_or(_seconds(data.get("retry_cap_minutes")), 3600),
            deadline_seconds=_seconds(data.get("deadline_minutes")),
            tags=_listed(data.get("tags", "")),
            targets=self.targets(),
        )

    def _rule(self, now: datetime, zone: str) -> dict[str, Any]:
        data = self.cleaned_data
        when = data.get("when") or "once"
        if when == "now":
            local = now.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)
            return {"rule_kind": RuleKind.ONCE.value, "start_local": local.replace(fold=0), "start_fold": local.fold}
        start = datetime.combine(data["date"], data["time"])
        if when == "once":
            return {"rule_kind": RuleKind.ONCE.value, "start_local": start, "start_fold": int(data.get("fold") or 0)}
        kind, expression = rules.expression(data, start)
        until = (
            datetime.combine(data["until"], datetime.max.time()).replace(microsecond=0)
            if data.get("ends") == "date"
            else None
        )
        limit = data.get("count") if data.get("ends") == "count" else None
        return {
            "rule_kind": kind,
            "expression": expression,
            "start_local": start,
            "until_local": until,
            "occurrence_limit": limit,
        }


def _seconds(minutes: float | None) -> int | None:
    return None if minutes is None else round(minutes * 60)


def _or(value: int | None, fallback: int) -> int:
    return fallback if value is None else value


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def beginning(now: datetime, zone: str) -> dict[str, Any]:
    """What a new post's form starts with: the next full hour but one, in the person's zone."""
    local = now.astimezone(zoneinfo.ZoneInfo(zone)) + timedelta(hours=2)
    return {
        "when": "once",
        "date": local.date(),
        "time": local.replace(minute=0, second=0, microsecond=0).time(),
        "zone": zone,
        "content_type": ContentType.POST.value,
        "repeat": "weekly",
        "interval": 1,
        "weekdays": [rules.CODES[local.weekday()]],
        "month_day": str(local.day),
        "nth": "1",
        "nth_day": rules.CODES[local.weekday()],
        "ends": "never",
        "priority": 5,
        "catch_up": CatchUp.LATEST.value,
        "max_attempts": 5,
        "retry_base_minutes": 1,
        "retry_cap_minutes": 60,
        "fold": "0",
    }


def content_values(draft: ContentDraft) -> dict[str, Any]:
    """Content as the form's fields show it."""
    return {
        "title": draft.title,
        "text": draft.text,
        "content_type": draft.content_type,
        "link": draft.link,
        "hashtags": " ".join(f"#{tag}" for tag in draft.hashtags),
        "labels": ", ".join(draft.labels),
        "campaign": draft.campaign,
        "language": draft.language,
        "notes": draft.notes,
        "media": list(draft.media_ids),
        **{f"utm_{name}": value for name, value in draft.utm.items()},
        **platform_fields.initial(draft.variants),
    }


def stored(schedule: Schedule, now: datetime) -> dict[str, Any]:
    """A stored schedule as the form shows it."""
    content = schedule.content
    values = beginning(now, schedule.timezone)
    start = schedule.start_local
    values |= {
        "version": schedule.version,
        **content_values(draft_of(content)),
        "date": start.date(),
        "time": start.time(),
        "zone": schedule.timezone,
        "fold": str(schedule.start_fold),
        "priority": schedule.priority,
        "catch_up": schedule.catch_up,
        "grace_minutes": _in_minutes(schedule.grace_seconds),
        "max_attempts": schedule.max_attempts,
        "retry_base_minutes": _in_minutes(schedule.retry_base_seconds),
        "retry_cap_minutes": _in_minutes(schedule.retry_cap_seconds),
        "deadline_minutes": _in_minutes(schedule.deadline_seconds),
        "tags": ", ".join(schedule.tags),
        "accounts": [],
        **rules.fields_of(schedule.rule_kind, schedule.expression, start),
    }
    if schedule.until_local:
        values |= {"ends": "date", "until": schedule.until_local.date()}
    elif schedule.occurrence_limit:
        values |= {"ends": "count", "count": schedule.occurrence_limit}
    for target in schedule.targets.all():
        key = str(target.account.public_id)
        values["accounts"].append(key)
        values |= {
            f"title-{key}": target.title or "",
            f"text-{key}": target.text or "",
            f"offset-{key}": target.offset_seconds // 60 or None,
        }
    return values


def _in_minutes(seconds: int | None) -> float | int | None:
    if seconds is None:
        return None
    return seconds // 60 if seconds % 60 == 0 else round(seconds / 60, 3)


def variants_of(schedule: Schedule) -> tuple[VariantDraft, ...]:
    """The platforms' own versions, as stored."""
    return draft_of(schedule.content).variants
