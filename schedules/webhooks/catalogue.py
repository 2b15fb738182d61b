"""The names of events that can be chosen, each with a sentence. What belongs to no workspace is told to no webhook."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from schedules.webhooks.rules import EVERYTHING

SENTENCES: dict[str, str | Promise] = {
    "account.auth_lost": _("The platform no longer takes an account's sign-in."),
    "account.connected": _("An account was connected."),
    "account.credentials_changed": _("An account got new secrets; only their names are told."),
    "account.disconnected": _("An account was given up."),
    "account.paused": _("An account was paused."),
    "account.posting_times_changed": _("An account's posting times changed."),
    "account.reconnected": _("An account is back to work."),
    "account.refresh_failing": _("An account's sign-in could not be renewed yet."),
    "account.refreshed": _("An account's sign-in was renewed."),
    "account.resumed": _("A paused account goes on."),
    "account.settings_changed": _("An account's settings were changed."),
    "account.signed_in": _("Somebody signed in to an account again."),
    "account.tried_now": _("Somebody asked to try a platform now."),
    "account_group.changed": _("A group of accounts was changed."),
    "account_group.created": _("A group of accounts was made."),
    "account_group.deleted": _("A group of accounts was deleted."),
    "bulk.continued": _("A stopped change of many schedules goes on."),
    "bulk.finished": _("A change of many schedules is done."),
    "bulk.started": _("A change of many schedules began."),
    "bulk.stopped": _("A change of many schedules was stopped."),
    "circuit.closed": _("A platform answers again."),
    "circuit.opened": _("A platform does not answer: its posts wait."),
    "content.created": _("A post was written."),
    "content.edited": _("A post was edited; only what changed is named."),
    "folder.changed": _("A folder was changed."),
    "folder.created": _("A folder was made."),
    "folder.removed": _("A folder was removed; its files moved up."),
    "hashtags.changed": _("A hashtag group was changed."),
    "hashtags.created": _("A hashtag group was saved."),
    "hashtags.deleted": _("A hashtag group was deleted."),
    "job.amended": _("A post that is out got new words at its platform."),
    "job.cancelled": _("A post was called off."),
    "job.completed": _("A post is out."),
    "job.failed": _("A post failed and is not tried again by itself."),
    "job.held": _("A post is on hold."),
    "job.look_up_asked": _("Somebody asked to look a post up at its platform."),
    "job.missed": _("A post was too late to be published."),
    "job.processing": _("The platform took a post and works on it."),
    "job.rescheduled": _("A post got a new time."),
    "job.restored": _("The last step was taken back."),
    "job.retried": _("Somebody asked for another try."),
    "job.retry_planned": _("A try failed; the next one is planned."),
    "job.run_now": _("Somebody asked to publish now."),
    "job.taken_down": _("A post was deleted at its platform."),
    "job.unconfirmed": _("A post may be out or not: nobody knows yet."),
    "media.deleted": _("A file was put into the bin."),
    "media.described": _("A file was described."),
    "media.edited": _("A file's name, description or folder was changed."),
    "media.moved": _("A file was moved into another folder."),
    "media.restored": _("A file came back from the bin."),
    "media.stored": _("A file was added."),
    "member.role_set": _("Somebody got a role in a workspace."),
    "milestone.created": _("A milestone was added."),
    "milestone.edited": _("A milestone was edited."),
    "milestone.reached": _("A milestone was reached."),
    "milestone.removed": _("A milestone was removed."),
    "milestone.reopened": _("A milestone is not reached after all."),
    "milestone.restored": _("A removed milestone came back."),
    "review.approved": _("A post was approved."),
    "review.changes_requested": _("A post was sent back with what should change."),
    "review.link_made": _("A link for an outside reviewer was made."),
    "review.link_revoked": _("A link for an outside reviewer was taken back."),
    "review.policy_changed": _("Who must approve was changed."),
    "review.policy_dropped": _("An account follows the workspace's rule of approval again."),
    "review.reminded": _("The reviewers were reminded."),
    "review.requested": _("A post waits for approval."),
    "review.withdrawn": _("The request for approval was taken back."),
    "schedule.activated": _("A draft, paused or finished schedule publishes from now on."),
    "schedule.archived": _("A schedule was put away; its open jobs were cancelled."),
    "schedule.backfilled": _("Times of the past that never went out were made up for."),
    "schedule.cloned": _("A draft was made as a copy of another schedule."),
    "schedule.created": _("A schedule was made, as a draft or active."),
    "schedule.depends": _("A schedule waits for another one."),
    "schedule.depends_no_more": _("A schedule no longer waits for another one."),
    "schedule.edited": _("A schedule was edited; only what changed is named."),
    "schedule.finished": _("All runs of a schedule are over."),
    "schedule.occurrence_moved": _("One run of a schedule was moved."),
    "schedule.occurrence_restored": _("One run of a schedule was put back to where its rule has it."),
    "schedule.occurrence_skipped": _("One run of a schedule was left out."),
    "schedule.paused": _("A schedule was paused: nothing more of it is started."),
    "schedule.published_now": _("A schedule was published at once."),
    "schedule.restored": _("A schedule was taken out of the archive."),
    "schedule.resumed": _("A paused schedule goes on."),
    "schedule.retimed": _("The rules of its time zone changed, so its runs were moved."),
    "schedule.split": _("A schedule ends here and goes on as another one (this and following)."),
    "sign_in_app.registered": _("An app for signing in was registered at a server."),
    "sign_in_app.removed": _("An app for signing in was removed."),
    "sign_in_app.saved": _("An app for signing in at a platform was saved."),
    "template.changed": _("A template was changed."),
    "template.created": _("A template was saved."),
    "template.deleted": _("A template was deleted."),
    "token.created": _("An API token was made."),
    "token.revoked": _("An API token was revoked."),
    "webhook.changed": _("A webhook was changed."),
    "webhook.created": _("A webhook was made."),
    "webhook.deleted": _("A webhook was deleted."),
    "webhook.disabled": _("A webhook was switched off, because its receiver is gone or failed for days."),
    "webhook.paused": _("A webhook was paused."),
    "webhook.replayed": _("Events were sent to a webhook again."),
    "webhook.resumed": _("A webhook goes on."),
    "webhook.secret_rotated": _("A webhook got a new signing secret."),
    "workspace.changed": _("A workspace got another name or zone."),
    "workspace.created": _("A workspace was made."),
    "workspace.paused": _("Nothing of a workspace is published from now on."),
    "workspace.resumed": _("A workspace goes on."),
}
TITLES: dict[str, str | Promise] = {
    "job": _("Posts on their way"),
    "schedule": _("Schedules"),
    "content": _("Content"),
    "review": _("Approval"),
    "account": _("Accounts"),
    "account_group": _("Account groups"),
    "sign_in_app": _("Sign-in apps"),
    "circuit": _("Platforms that do not answer"),
    "media": _("Media"),
    "folder": _("Media folders"),
    "template": _("Templates"),
    "hashtags": _("Hashtag groups"),
    "milestone": _("Milestones"),
    "bulk": _("Many at once"),
    "workspace": _("Workspace"),
    "member": _("Members"),
    "token": _("API tokens"),
    "webhook": _("Webhooks"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """The events of one kind of thing: `job.*`."""

    key: str
    title: str
    types: tuple[tuple[str, str], ...]

    @property
    def all(self) -> str:
        return f"{self.key}.*"


def types() -> dict[str, str]:
    """Name -> sentence in the active language, by name."""
    return {name: str(SENTENCES[name]) for name in sorted(SENTENCES)}


def groups() -> list[Group]:
    """All events by the thing they are about; those that most ask for come first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, sentence in types().items():
        found.setdefault(name.partition(".")[0], []).append((name, sentence))
    order = list(TITLES)
    keys = sorted(found, key=lambda key: (order.index(key) if key in TITLES else len(order), key))
    return [Group(key, str(TITLES.get(key, key)), tuple(found[key])) for key in keys]


def is_known(choice: str) -> bool:
    """`job.completed`, `job.*` or `*`."""
    if choice == EVERYTHING or choice in SENTENCES:
        return True
    return choice.endswith(".*") and any(name.startswith(choice[:-1]) for name in SENTENCES)


def nearest(choice: str) -> str:
    """What may have been meant; empty where nothing is near."""
    known = [*SENTENCES, *sorted({f"{name.partition('.')[0]}.*" for name in SENTENCES})]
    return next(iter(difflib.get_close_matches(choice, known, n=1)), "")
