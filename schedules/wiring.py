"""Registers what this package brings: kinds of work, duties, what a pass asks and does, and the audit log as the sink of facts."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module

from django.conf import settings

from alwrity_scheduler.core import events
from alwrity_scheduler.core.events import ENGINE
from schedules.engine import loop, workers
from schedules.engine.duties import DutyKind, duties
from schedules.engine.kinds import kinds


def connect() -> None:
    """Called once, when Django is ready."""
    from django.utils import translation

    from alwrity_scheduler.core import retention
    from alwrity_scheduler.core.retention import Kept
    from alwrity_scheduler.oauth import services as oauth
    from alwrity_scheduler.security import persons
    from alwrity_scheduler.security import services as security
    from alwrity_scheduler.signin import reads as signin
    from platforms.services import media, placing
    from schedules.domain import speech
    from schedules.reads.media import names_in_the_composer, names_of_users
    from schedules.services import (
        approval_mail,
        audit,
        control,
        erasing,
        holds,
        measuring,
        misfires,
        pruning,
        refreshing,
    )
    from schedules.services.checks import CheckKind
    from schedules.services.measuring import ReadingKind
    from schedules.services.publishing import PublishKind
    from schedules.services.refreshing import RefreshKind

    speech.speak_through(translation.gettext, translation.ngettext, translation.pgettext)
    events.subscribe(audit.record)
    persons.holders.register("apps_allowed", persons.Holder(export=oauth.held, erase=lambda person, instead: None))
    persons.holders.register("sign_in", persons.Holder(export=signin.held, erase=lambda person, instead: None))
    persons.holders.register("schedules", persons.Holder(export=erasing.held, erase=erasing.erase))
    for name, kept in {
        "attempts": Kept(
            days=settings.ENGINE["attempt_retention_days"], what="what platforms answered, of ended posts"
        ),
        "scheduler runs": Kept(days=7, what="APScheduler's list of its last runs"),
        "idempotency keys": Kept(days=1, what="answers to POSTs that carried a key"),
        "bulk runs": Kept(days=30, what="results of verbs on many posts"),
    }.items():
        retention.kinds.register(name, kept)
    media.users[:] = [names_of_users, names_in_the_composer]
    kinds.register("publish", PublishKind())
    kinds.register("check", CheckKind())
    kinds.register("refresh", RefreshKind())
    kinds.register("read", ReadingKind())
    loop.is_paused[:] = [control.is_paused]
    loop.housekeeping[:] = [lambda now: holds.release_held(now=now), lambda now: misfires.expire(now=now)]
    duties.register("plan", DutyKind(_plan, 30))
    duties.register("zone rules", DutyKind(_zone_rules, 3600))
    duties.register("plan refreshes", DutyKind(lambda now: f"{refreshing.plan(now=now)} planned", 10))
    duties.register("plan readings", DutyKind(lambda now: f"{measuring.plan(now=now)} planned", 300))
    duties.register("place accounts", DutyKind(lambda now: f"{placing.adopt_all(now)} changed", 3600))
    duties.register("prune", DutyKind(lambda now: pruning.prune(now=now), 3600))
    duties.register("clear app tokens", DutyKind(lambda now: f"{oauth.clear_expired(now=now)} tokens removed", 3600))
    duties.register("watch the door", DutyKind(lambda now: f"{security.watch(now=now)} alerts", 60))
    duties.register("tidy the security log", DutyKind(lambda now: f"{security.prune(now=now)} removed", 3600))
    duties.register("tell reviewers", DutyKind(lambda now: approval_mail.send_due(now=now), 60))
    duties.register("tidy media", DutyKind(_tidy_media, 3600))
    duties.register("forget workers", DutyKind(lambda now: f"{workers.forget(now)} removed", 300))
    if settings.ENGINE["mode"] == "distributed":
        _connect_celery()


def _connect_celery() -> None:
    """The app stands in the roof, above this package, so it is named in the settings; importing it makes it the current one."""
    import_module(settings.ENGINE["celery_app"])
    from schedules.engine import distributed, periodic

    distributed.connect()
    periodic.connect()


def _tidy_media(now: datetime) -> str:
    from platforms.services import media, renditions

    return f"{media.purge(now=now)} files, {renditions.tidy(now=now)} copies removed"


def _plan(now: datetime) -> str:
    from schedules.services import lifecycle, materialise

    made = materialise.extend_horizon(now=now)
    finished = lifecycle.finish_ended(now=now, actor=ENGINE)
    return f"{made} jobs planned, {finished} schedules finished"


def _zone_rules(now: datetime) -> str:
    from schedules.services import materialise

    return f"{materialise.adopt_tzdata(now=now)} schedules looked at, tzdata {materialise.TZDATA}"
