"""Posting times of accounts, the queue, times that are free, and what stands too close."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.api.problems import renamed
from schedules.api.serializers import slots as words
from schedules.api.serializers.accounts import account_words
from schedules.api.serializers.calendar import event_words
from schedules.api.serializers.schedules import ScheduleAnswer, account_ids, plan, schedule_problem
from schedules.api.serializers.shapes import Input, both
from schedules.api.views.asked import AskedDoor
from schedules.api.views.door import Door
from schedules.api.views.schedules import JOINED, PARTS, home_zone, stored_or_draft, with_groups
from schedules.domain import gaps
from schedules.models import PostingSlot, Schedule
from schedules.reads import conflicts
from schedules.services import moving, slots
from schedules.services.plans import SchedulePlan

MOST_PAIRS = 500


class _OfAccount(Door):
    area: ClassVar[str] = "schedules"

    def get_queryset(self) -> QuerySet[Any]:
        return PlatformAccount.objects.visible_to(self.request.user).select_related("workspace").defer("credentials")


class PostingTimes(_OfAccount):
    """The times of the week at which the queue of the account publishes, on its own wall clock. PUT replaces them all."""

    answers: ClassVar[dict[str, Any]] = {"get": words.PostingTimesShown, "put": words.PostingTimesShown}

    def get(self, request: Request, public_id: UUID) -> Response:
        return self._answer(self.find(public_id))

    def put(self, request: Request, public_id: UUID) -> Response:
        account = self.find(public_id)
        self.require(Action.ACCOUNTS, account.workspace)
        given = self.read(words.PostingTimesInput)
        times = [(item["weekday"], item["time"].replace(second=0)) for item in given["times"]]
        slots.set_slots(account=account, times=times, actor=self.actor, now=self.now)
        return self._answer(account)

    def _answer(self, account: PlatformAccount) -> Response:
        rows = list(PostingSlot.objects.filter(account=account).order_by("weekday", "time", "id"))
        return Response(words.posting_words(account, rows, slots.next_slot(account, now=self.now)))


class NextSlots(_OfAccount, AskedDoor):
    """The next posting times of the account at which nothing goes out yet: `count` of them, five if nothing is said."""

    answers: ClassVar[dict[str, Any]] = {"get": words.NextTimes}
    asked: ClassVar[type[Input]] = words.Count

    def get(self, request: Request, public_id: UUID) -> Response:
        account = self.find(public_id)
        found = slots.next_slots(account, now=self.now, count=self.query()["count"])
        shown = [both("at", at, account.timezone) for at in found]
        return Response({"account": account_words(account), "timezone": account.timezone, "results": shown})


class Queue(Door):
    """POST of a post that goes out at the next free posting time of each of its accounts.

    One schedule, or several where those times lie more than a week apart.
    """

    area: ClassVar[str] = "schedules"
    answers: ClassVar[dict[str, Any]] = {"post": {201: words.Queued}}

    def post(self, request: Request) -> Response:
        given = self.read(words.QueueInput)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.WRITE, workspace)
        content = stored_or_draft(request.user, given["content"], workspace)
        with_groups(given, workspace)
        zone = home_zone(workspace, account_ids(given))
        local = self.now.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)
        # the queue puts its own times in the place of this one
        now_at = SchedulePlan(rule_kind="once", timezone=zone, start_local=local)
        wanted = plan(given, now_at, home_zone=zone, now=self.now)
        with renamed(schedule_problem("once")):
            made = slots.add_to_queue(
                workspace=workspace,
                draft=content,
                plan=wanted,
                actor=self.actor,
                now=self.now,
                person=self.person,
            )
        rows = Schedule.objects.visible_to(request.user).select_related(*JOINED).prefetch_related(*PARTS)
        shown = rows.filter(pk__in=[row.pk for row in made]).order_by("id")
        context = self.get_serializer_context()
        return Response({"schedules": ScheduleAnswer(shown, many=True, context=context).data}, status=201)


class _OnAccounts(Door):
    area: ClassVar[str] = "schedules"
    writes: ClassVar[bool] = False

    def accounts(self, ids: list[UUID], workspace: Workspace) -> list[PlatformAccount]:
        """Those accounts in their order; the unknown ones are named."""
        visible = PlatformAccount.objects.visible_to(self.request.user).filter(workspace=workspace)
        there = {row.public_id: row for row in visible.filter(public_id__in=ids).defer("credentials")}
        problems = [
            Problem(field=f"accounts.{place}", message="There is no such account in this workspace.", code="not_found")
            for place, name in enumerate(ids)
            if name not in there
        ]
        if problems:
            raise Refused(problems)
        return [there[name] for name in dict.fromkeys(ids)]

    def but(self, ids: list[UUID], workspace: Workspace) -> frozenset[int]:
        rows = Schedule.objects.visible_to(self.request.user).filter(workspace=workspace, public_id__in=ids)
        return frozenset(rows.values_list("pk", flat=True)) if ids else frozenset()


class FindSlots(_OnAccounts):
    """POST of accounts and a span: the first times at which none of them has a post too close. Nothing is reserved."""

    answers: ClassVar[dict[str, Any]] = {"post": words.TimesFound}

    def post(self, request: Request) -> Response:
        given = self.read(words.FindInput)
        workspace = self.workspace_of(given["workspace"])
        rows = self.accounts(given["accounts"], workspace)
        zone = given["timezone"] or self.own_zone
        window = words.window(given, zone, self.now)
        taken = conflicts.taken(
            workspace, rows, start=window.after, end=window.before, gap_seconds=given["gap_seconds"], now=self.now
        )
        step = timedelta(minutes=given["step_minutes"])
        found = taken.free(window, step=step, count=given["count"], but=self.but(given["but"], workspace))
        posting = _posting_minutes(rows)
        shown = [{**both("at", at, zone), "posting_time": _is_posting(at, rows, posting)} for at in found]
        return Response({"timezone": zone, "results": shown})


def _posting_minutes(rows: list[PlatformAccount]) -> set[tuple[int, int, int, int]]:
    times = PostingSlot.objects.filter(account__in=rows).values_list("account_id", "weekday", "time")
    return {(account, weekday, at.hour, at.minute) for account, weekday, at in times}


def _is_posting(at: datetime, rows: list[PlatformAccount], posting: set[tuple[int, int, int, int]]) -> bool:
    """Is it a posting time of every one of the accounts?"""
    if not posting:
        return False
    for row in rows:
        local = at.astimezone(ZoneInfo(row.timezone))
        if (row.pk, local.weekday(), local.hour, local.minute) not in posting:
            return False
    return True


class Conflicts(AskedDoor):
    """Pairs of posts that stand too close on one account, in a span of at most 62 days."""

    area: ClassVar[str] = "schedules"
    answers: ClassVar[dict[str, Any]] = {"get": words.ConflictsShown}
    asked: ClassVar[type[Input]] = words.ConflictSpan

    def get(self, request: Request) -> Response:
        given = self.query()
        workspace = self.workspace_of(given["workspace"])
        zone = given["timezone"] or self.own_zone
        ids = self.account_ids(workspace, given["account"] or None)
        found = conflicts.pairs(workspace, ids, since=given["since"], until=given["until"], zone=zone, now=self.now)
        shown = words.pair_words(found[:MOST_PAIRS], zone)
        return Response({"timezone": zone, "count": len(found), "more": len(found) > MOST_PAIRS, "results": shown})


class ConflictCheck(_OnAccounts):
    """POST of a time and accounts: what each would be too close to there, and the nearest times that are free on all of them."""

    answers: ClassVar[dict[str, Any]] = {"post": words.ConflictsAtTime}

    def post(self, request: Request) -> Response:
        given = self.read(words.ConflictCheck)
        workspace = self.workspace_of(given["workspace"])
        rows = self.accounts(given["accounts"], workspace)
        zone = given["timezone"] or self.own_zone
        at = words.instant(given["at"], zone)
        taken = conflicts.taken(
            workspace,
            rows,
            start=at - conflicts.AROUND,
            end=at + conflicts.AROUND,
            gap_seconds=given["gap_seconds"],
            now=self.now,
        )
        but = self.but(given["but"], workspace)
        near = {row.pk: taken.near(row.pk, at, but) for row in rows}
        shown = {item["key"]: item for item in event_words([one for found in near.values() for one in found], zone)}
        written = given["at"].at
        local = written if written.tzinfo is None else at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        return Response(
            {
                **both("at", at, zone),
                "timezone": zone,
                "note": moving.note(local, zone),
                "past": at <= self.now,
                "clear": not any(near.values()),
                "accounts": [
                    {
                        **account_words(row),
                        "gap_seconds": round(taken.apart[row.pk].total_seconds()),
                        "conflicts": [shown[item.key] for item in near[row.pk]],
                    }
                    for row in rows
                ],
                "free": [both("at", item, zone) for item in self._free(taken, at, zone, but)]
                if any(near.values())
                else [],
            }
        )

    def _free(self, taken: conflicts.Taken, at: datetime, zone: str, but: frozenset[int]) -> list[datetime]:
        """The last free time before and the first one after, within a day."""
        where = ZoneInfo(zone)
        before = gaps.Window(after=max(self.now, at - conflicts.AROUND), before=at, zone=where)
        behind = gaps.Window(after=max(self.now, at), before=at + conflicts.AROUND, zone=where)
        earlier = taken.free(before, step=conflicts.STEP, count=1_000, but=but)[-1:] if before.after < at else []
        return [*earlier, *taken.free(behind, step=conflicts.STEP, count=1, but=but)]
