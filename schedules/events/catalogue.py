"""Every event that there is: one entry a name of a fact, with a sentence and what its `before` and `after` hold.

Packages beside or above this one register theirs from their wiring (`register`); what lies below cannot know this module, so its
names stand in the table here. A test walks the source and fails for a name without an entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alwrity_scheduler.core.registry import Registry
from schedules.events import values as v


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """sentence: when it happens. object_types: what it may be about. before, after: name -> JSON Schema of what may stand there;
    not each fact has them all, and later versions may add names. `adds`: names of a platform or a verb come on top. `stays`: is in
    the history only, and is neither listed as an event nor streamed nor sent."""

    name: str
    sentence: str | Promise
    object_types: tuple[str, ...]
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    after: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    adds: bool = False
    stays: bool = False

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]


event_types: Registry[EventType] = Registry("event type")


def register(
    name: str, sentence: str | Promise, *object_types: str, before: v.Values | None = None, after: v.Values | None = None,
    adds: bool = False, stays: bool = False,
) -> EventType:  # fmt: skip
    """Add one; a name is taken once."""
    made = EventType(
        name=name, sentence=sentence, object_types=object_types, before=before or {}, after=after or {}, adds=adds,
        stays=stays,
    )  # fmt: skip
    return event_types.register(name, made)


def types() -> list[EventType]:
    """All that are sent, by name."""
    return sorted((item for item in event_types.values() if not item.stays), key=lambda item: item.name)


def staying() -> list[str]:
    """The names of facts that are no events for the outside."""
    return [item.name for item in event_types.values() if item.stays]


def is_sent(name: str) -> bool:
    known = event_types.get(name)
    return known is None or not known.stays


def _both(name: str, sentence: str | Promise, kind: str, both: v.Values) -> None:
    register(name, sentence, kind, before=both, after=both)


def _schedules() -> None:
    register(
        "schedule.created", _("A schedule was made, as a draft or active."), "schedule", after=v.SCHEDULE | v.STATE,
    )  # fmt: skip
    register(
        "schedule.edited",
        _("A schedule was edited; only what changed is named."),
        "schedule",
        before=v.SCHEDULE,
        after=v.SCHEDULE | {"jobs_replaced": v.COUNT},
    )
    for verb, sentence in (
        ("activated", _("A draft, paused or finished schedule publishes from now on.")),
        ("paused", _("A schedule was paused: nothing more of it is started.")),
        ("resumed", _("A paused schedule goes on.")),
        ("restored", _("A schedule was taken out of the archive.")),
        ("finished", _("All runs of a schedule are over.")),
    ):
        _both(f"schedule.{verb}", sentence, "schedule", v.STATE)
    register(
        "schedule.archived", _("A schedule was put away; its open jobs were cancelled."), "schedule",
        before=v.STATE, after=v.STATE | {"jobs_cancelled": v.COUNT},
    )  # fmt: skip
    register(
        "schedule.cloned", _("A draft was made as a copy of another schedule."), "schedule",
        after=v.SCHEDULE | {"from": v.TEXT},
    )  # fmt: skip
    register(
        "schedule.split", _("A schedule ends here and goes on as another one (this and following)."), "schedule",
        before=v.SCHEDULE, after=v.SCHEDULE | {"goes_on_as": v.TEXT},
    )  # fmt: skip
    at = {"at": v.or_none(v.WALL_CLOCK)}
    for verb, sentence in (
        ("occurrence_skipped", _("One run of a schedule was left out.")),
        ("occurrence_moved", _("One run of a schedule was moved.")),
        ("occurrence_restored", _("One run of a schedule was put back to where its rule has it.")),
    ):
        _both(f"schedule.{verb}", sentence, "schedule", at)
    register("schedule.published_now", _("A schedule was published at once."), "schedule", after={"at": v.TIME})
    register(
        "schedule.backfilled", _("Times of the past that never went out were made up for."), "schedule",
        after={"start": v.TIME, "end": v.TIME, "gap_seconds": {"type": "number"}, "times": v.COUNT, "jobs": v.COUNT},
    )  # fmt: skip
    register("schedule.depends", _("A schedule waits for another one."), "schedule", after=v.WAITS)
    register("schedule.depends_no_more", _("A schedule no longer waits for another one."), "schedule", before=v.WAITS)
    retimed = {"tzdata": v.TEXT, "times": {"type": "array", "items": v.TIME}}
    _both("schedule.retimed", _("The rules of its time zone changed, so its runs were moved."), "schedule", retimed)


def _jobs() -> None:
    for verb, sentence in (
        ("completed", _("A post is out.")),
        ("processing", _("The platform took a post and works on it.")),
        ("failed", _("A post failed and is not tried again by itself.")),
        ("missed", _("A post was too late to be published.")),
        ("cancelled", _("A post was called off.")),
        ("held", _("A post is on hold.")),
        ("unconfirmed", _("A post may be out or not: nobody knows yet.")),
        ("retry_planned", _("A try failed; the next one is planned.")),
        ("retried", _("Somebody asked for another try.")),
        ("run_now", _("Somebody asked to publish now.")),
        ("rescheduled", _("A post got a new time.")),
        ("look_up_asked", _("Somebody asked to look a post up at its platform.")),
        ("restored", _("The last step was taken back.")),
    ):
        register(f"job.{verb}", sentence, "job", before=v.JOB, after=v.JOB)
    register(
        "job.taken_down",
        _("A post was deleted at its platform."),
        "job",
        after={"url": v.TEXT, "taken_down_at": v.TIME},
    )
    register(
        "job.amended", _("A post that is out got new words at its platform."), "job",
        before={"content_version": v.or_none(v.COUNT)}, after={"content_version": v.COUNT, "url": v.TEXT},
    )  # fmt: skip


def _writing() -> None:
    register("content.created", _("A post was written."), "content", after=v.CONTENT)
    register(
        "content.edited",
        _("A post was edited; only what changed is named."),
        "content",
        before=v.CONTENT,
        after=v.CONTENT,
    )
    for verb, sentence in (
        ("created", _("A template was saved.")),
        ("changed", _("A template was changed.")),
        ("deleted", _("A template was deleted.")),
    ):
        register(f"template.{verb}", sentence, "template", after=v.NAME)
    for verb, sentence in (
        ("created", _("A hashtag group was saved.")),
        ("changed", _("A hashtag group was changed.")),
        ("deleted", _("A hashtag group was deleted.")),
    ):
        register(f"hashtags.{verb}", sentence, "hashtags", after=v.NAME | {"hashtags": v.WORDS})
    for verb, sentence in (
        ("created", _("A milestone was added.")),
        ("edited", _("A milestone was edited.")),
        ("reached", _("A milestone was reached.")),
        ("reopened", _("A milestone is not reached after all.")),
        ("removed", _("A milestone was removed.")),
        ("restored", _("A removed milestone came back.")),
    ):
        _both(f"milestone.{verb}", sentence, "milestone", v.MILESTONE)
    for verb, sentence in (
        ("started", _("A change of many schedules began.")),
        ("stopped", _("A change of many schedules was stopped.")),
        ("continued", _("A stopped change of many schedules goes on.")),
        ("finished", _("A change of many schedules is done.")),
    ):
        register(f"bulk.{verb}", sentence, "bulk_run", after=v.BULK, adds=True)


def _reviews() -> None:
    register("review.requested", _("A post waits for approval."), "schedule", after=v.REVIEW)
    register("review.approved", _("A post was approved."), "schedule", after=v.REVIEW)
    register("review.changes_requested", _("A post was sent back with what should change."), "schedule", after=v.REVIEW)
    register("review.withdrawn", _("The request for approval was taken back."), "schedule", after=v.REVIEW)
    register("review.reminded", _("The reviewers were reminded."), "schedule", after={"reminder": v.COUNT})
    register(
        "review.link_made", _("A link for an outside reviewer was made."), "schedule",
        after={"for": v.TEXT, "until": v.TIME, "may_decide": v.FLAG},
    )  # fmt: skip
    register(
        "review.link_revoked", _("A link for an outside reviewer was taken back."), "schedule", after={"for": v.TEXT}
    )
    _both("review.policy_changed", _("Who must approve was changed."), "review_policy", v.POLICY)
    register(
        "review.policy_dropped", _("An account follows the workspace's rule of approval again."), "review_policy",
        before=v.POLICY,
    )  # fmt: skip


def _media() -> None:
    register(
        "media.stored", _("A file was added."), "media", after={"name": v.TEXT, "mime": v.TEXT, "size": v.COUNT},
    )  # fmt: skip
    for verb, sentence in (
        ("described", _("A file was described.")),
        ("edited", _("A file's name, description or folder was changed.")),
        ("moved", _("A file was moved into another folder.")),
    ):
        _both(f"media.{verb}", sentence, "media", v.MEDIUM)
    register(
        "media.deleted",
        _("A file was put into the bin."),
        "media",
        after={"name": v.TEXT, "deleted_at": v.TIME},
    )
    register("media.restored", _("A file came back from the bin."), "media", after=v.NAME)
    register("folder.created", _("A folder was made."), "media_folder", after=v.FOLDER)
    _both("folder.changed", _("A folder was changed."), "media_folder", v.FOLDER)
    register(
        "folder.removed", _("A folder was removed; its files moved up."), "media_folder",
        before=v.FOLDER, after={"files_moved": v.COUNT},
    )  # fmt: skip


def _accounts() -> None:
    register("account.connected", _("An account was connected."), "account", after=v.PLACE)
    register("account.signed_in", _("Somebody signed in to an account again."), "account", after=v.PLACE)
    moved = v.STATE | {"reason": v.TEXT}
    for verb, sentence in (
        ("paused", _("An account was paused.")),
        ("resumed", _("A paused account goes on.")),
        ("disconnected", _("An account was given up.")),
        ("auth_lost", _("The platform no longer takes an account's sign-in.")),
        ("reconnected", _("An account is back to work.")),
    ):
        register(f"account.{verb}", sentence, "account", before=v.STATE, after=moved)
    register(
        "account.settings_changed", _("An account's settings were changed."), "account", after={"changed": v.WORDS}
    )
    register(
        "account.credentials_changed", _("An account got new secrets; only their names are told."), "account",
        after={"changed": v.WORDS},
    )  # fmt: skip
    register(
        "account.refreshed", _("An account's sign-in was renewed."), "account", after={"expires_at": v.or_none(v.TIME)}
    )
    register(
        "account.refresh_failing",
        _("An account's sign-in could not be renewed yet."),
        "account",
        after={"error": v.TEXT},
    )
    register(
        "account.tried_now", _("Somebody asked to try a platform now."), "account",
        after={"platform": v.FLAG, "sign_in": v.FLAG},
    )  # fmt: skip
    register(
        "account.posting_times_changed", _("An account's posting times changed."), "account", after={"times": v.WORDS}
    )
    group = v.NAME | {"accounts": v.WORDS}
    register("account_group.created", _("A group of accounts was made."), "account_group", after=group)
    _both("account_group.changed", _("A group of accounts was changed."), "account_group", group)
    register("account_group.deleted", _("A group of accounts was deleted."), "account_group", before=v.NAME)
    for verb, sentence in (
        ("opened", _("A platform does not answer: its posts wait.")),
        ("closed", _("A platform answers again.")),
    ):
        register(f"circuit.{verb}", sentence, "account", "service", before=v.CIRCUIT, after=v.CIRCUIT)
    register(
        "sign_in_app.saved", _("An app for signing in at a platform was saved."), "sign_in_app",
        after={"client_id": v.TEXT, "secret_changed": v.FLAG},
    )  # fmt: skip
    register(
        "sign_in_app.registered", _("An app for signing in was registered at a server."), "sign_in_app",
        after={"client_id": v.TEXT, "server": v.TEXT},
    )  # fmt: skip
    register("sign_in_app.removed", _("An app for signing in was removed."), "sign_in_app")


def _people() -> None:
    register(
        "workspace.created",
        _("A workspace was made."),
        "workspace",
        after={"name": v.TEXT, "slug": v.TEXT, "timezone": v.TEXT},
    )
    _both(
        "workspace.changed",
        _("A workspace got another name or zone."),
        "workspace",
        {"name": v.TEXT, "timezone": v.TEXT},
    )
    paused = {"paused": v.FLAG}
    _both("workspace.paused", _("Nothing of a workspace is published from now on."), "workspace", paused)
    _both("workspace.resumed", _("A workspace goes on."), "workspace", paused)
    _both("engine.paused", _("Nothing is published anywhere from now on."), "engine", paused)
    _both("engine.resumed", _("Publishing goes on everywhere."), "engine", paused)
    _both(
        "member.role_set", _("Somebody got a role in a workspace."), "workspace",
        {"user": v.TEXT, "role": v.or_none(v.TEXT)},
    )  # fmt: skip
    register(
        "token.created", _("An API token was made."), "api_token", after={"name": v.TEXT, "role": v.TEXT}, adds=True
    )  # fmt: skip
    register(
        "token.revoked", _("An API token was revoked."), "api_token",
        before={"revoked": v.FLAG}, after={"revoked": v.FLAG},
    )  # fmt: skip
    register("person.settings_changed", _("Somebody changed their own settings."), "person", adds=True, stays=True)
    register("person.notices_changed", _("Somebody changed what they want to hear."), "person", adds=True, stays=True)
    register("person.erased", _("What was known of a person was erased."), "person", stays=True)
    # the security log tells these, to those who may read it
    register(
        "security.alert", _("Something odd was seen at the door."), "alert",
        after={"kind": v.TEXT, "who": v.TEXT, "count": v.COUNT}, stays=True,
    )  # fmt: skip
    register(
        "security.alert_seen", _("Somebody has looked at an alert."), "alert",
        before={"seen": v.FLAG}, after={"seen": v.FLAG}, stays=True,
    )  # fmt: skip
    register(
        "history.resealed", _("A chain of the history was sealed anew after an erasure."), "history",
        before={"end": v.TEXT, "length": v.COUNT}, after={"from": v.COUNT, "end": v.TEXT}, stays=True,
    )  # fmt: skip


def _access() -> None:
    for name, sentence in (
        ("member.removed", _("Somebody was taken out of a workspace.")),
        ("member.left", _("Somebody left a workspace.")),
        ("member.accounts_set", _("A member's accounts were chosen.")),
    ):
        register(name, sentence, "workspace", before=v.ACCESS, after=v.ACCESS)
    for name, sentence in (
        ("invitation.sent", _("Somebody was asked to join.")),
        ("invitation.resent", _("An invitation was sent again.")),
        ("invitation.revoked", _("An invitation was taken back.")),
        ("invitation.accepted", _("Somebody joined by an invitation.")),
    ):
        register(name, sentence, "invitation", before=v.ACCESS, after=v.ACCESS)
    for name, sentence in (
        ("token.changed", _("An API token was changed.")),
        ("token.rotated", _("An API token got a new secret.")),
        ("token.accounts_set", _("A token's accounts were chosen.")),
    ):
        register(name, sentence, "api_token", before=v.TOKEN, after=v.TOKEN)
    for name, sentence in (
        ("app.registered", _("An app was registered.")),
        ("app.changed", _("An app was changed.")),
        ("app.secret_rotated", _("An app got a new secret.")),
        ("app.disabled", _("An app was switched off.")),
        ("app.enabled", _("An app was switched on again.")),
        ("app.deleted", _("An app was deleted.")),
    ):
        register(name, sentence, "app", before=v.APP, after=v.APP)
    register("app.allowed", _("Somebody let an app act for them."), "app_permission", before=v.APP, after=v.APP)
    register("app.revoked", _("Somebody took an app's permission back."), "app_permission", before=v.APP, after=v.APP)
    for name, sentence in (
        ("person.password_changed", _("Somebody changed their password.")),
        ("person.mfa_added", _("Somebody added a second factor.")),
        ("person.mfa_removed", _("Somebody removed a second factor.")),
        ("person.recovery_codes_made", _("Somebody made recovery codes.")),
        ("person.login_linked", _("Somebody linked another sign-in.")),
        ("person.login_unlinked", _("Somebody unlinked another sign-in.")),
        ("person.address_confirmed", _("Somebody confirmed a mail address.")),
        ("person.address_changed", _("Somebody changed their mail address.")),
        ("person.address_removed", _("Somebody removed a mail address.")),
        ("person.created", _("Somebody came in by another sign-in for the first time.")),
    ):
        register(name, sentence, "person", adds=True, stays=True)


def _integrations() -> None:
    for name, sentence in (
        ("webhook.created", _("A webhook was made.")),
        ("webhook.changed", _("A webhook was changed.")),
        ("webhook.secret_rotated", _("A webhook got a new secret.")),
        ("webhook.paused", _("A webhook was paused.")),
        ("webhook.resumed", _("A webhook goes on.")),
        ("webhook.disabled", _("A webhook was switched off, because its receiver does not take what is sent.")),
        ("webhook.deleted", _("A webhook was deleted.")),
        ("webhook.replayed", _("Something was sent to a webhook again.")),
    ):
        register(name, sentence, "webhook", before=v.WEBHOOK, after=v.WEBHOOK)
    register("campaign.created", _("A campaign was made."), "campaign", after=v.NAME)
    register("campaign.renamed", _("A campaign got another name."), "campaign", before=v.NAME, after=v.NAME)


for _fill in (_schedules, _jobs, _writing, _reviews, _media, _accounts, _people, _access, _integrations):
    _fill()
