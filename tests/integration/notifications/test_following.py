"""From facts to notices: gathered, told once, settled when the thing is put right, and removed when it is old."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from alwrity_scheduler.core.events import ENGINE, Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import Membership
from platforms.errors import Rejected
from platforms.models import CircuitState, PlatformAccount
from platforms.services import accounts, admission
from schedules.models import AuditChain, Job, Occurrence
from schedules.notifications import ending, services
from schedules.notifications.models import Cursor, Notice
from schedules.notifications.reads import days_of, line_of
from schedules.notifications.rules import Kind
from schedules.services import approval, jobs, recovery
from schedules.services.facts import job_fact
from tests.engine import run_due
from tests.people import ACTOR, make_schedule

pytestmark = pytest.mark.django_db


def of(person, kind=None):
    rows = Notice.objects.filter(user=person)
    return list(rows.filter(kind=kind) if kind else rows)


def actor(person):
    return Actor(kind="user", id=str(person.pk), label=person.get_username())


def fail(workspace, account, platform, now, texts):
    """Posts that the platform refuses."""
    for text in texts:
        make_schedule(workspace, [account], now, text=text)
    platform.script[:] = [Rejected("No.") for _ in texts]
    run_due(now)


def test_failures_are_one_row_a_person_and_settle_when_they_are_retried(people, workspace, account, platform, now):
    fail(workspace, account, platform, now, ["One", "Two", "Three"])

    assert services.follow(now=now) == 3
    [notice] = of(people.owner)
    assert (notice.kind, notice.count, notice.left, notice.needs_act) == ("failed", 3, 3, True)
    assert line_of(notice).words == "3 posts failed on News"
    assert len(of(people.author)) == 1
    assert of(people.viewer) == of(people.stranger) == []

    # the same facts are not told twice
    assert services.follow(now=now) == 0
    assert of(people.owner)[0].count == 3

    services.read(notice=notice, now=now)
    first, second, third = Job.objects.order_by("id")
    jobs.retry(job=first, actor=ACTOR, now=now)
    recovery.discard(job=second, actor=ACTOR, now=now)
    services.follow(now=now)
    [notice] = of(people.owner)
    assert (notice.left, notice.settled_at, notice.read_at) == (1, None, now)

    jobs.retry(job=third, actor=ACTOR, now=now)
    services.follow(now=now)
    assert of(people.owner)[0].settled_at == now

    # it fails again: open again, unread again, counted from one
    platform.script[:] = [Rejected("Still no.")]
    later = now + timedelta(minutes=5)
    run_due(later)
    services.follow(now=later)
    [notice] = of(people.owner)
    assert (notice.count, notice.left, notice.settled_at, notice.read_at) == (1, 1, None, None)
    assert notice.first_at == later
    assert line_of(notice).detail == "Still no."


def test_thousands_of_failures_make_a_row_a_person_and_group(
    people, workspace, account, now, django_assert_max_num_queries
):
    schedule = make_schedule(workspace, [account], now, state="draft")
    at = [now + timedelta(seconds=n) for n in range(2_500)]
    slots = [
        Occurrence(
            schedule=schedule, nominal_at=t, nominal_local=t.replace(tzinfo=None), fires_at=t, tzdata_version="1"
        )
        for t in at
    ]
    Occurrence.objects.bulk_create(slots, batch_size=500)
    posts = [
        Job(
            workspace=workspace, schedule=schedule, account=account, occurrence=slot, state="failed", run_at=now,
            scheduled_for=slot.fires_at, finished_at=now, created_at=now,
        )
        for slot in slots
    ]  # fmt: skip
    Job.objects.bulk_create(posts, batch_size=500)
    facts = [job_fact("job.failed", post, ENGINE, now, after={"state": "failed", "message": "No."}) for post in posts]
    with unit():
        emit(*facts)

    parts = 0
    while Cursor.objects.filter(seq=AuditChain.objects.get(pk=workspace.pk).length).count() == 0:
        with django_assert_max_num_queries(64):
            services.follow(now=now)
        parts += 1
    assert parts == 2
    assert [(row.count, row.left) for row in of(people.owner)] == [(2_500, 2_500)]
    assert Notice.objects.count() == 2


def test_whoever_is_killed_in_the_middle_loses_nothing_and_tells_nothing_twice(
    people, workspace, account, platform, now, monkeypatch
):
    fail(workspace, account, platform, now, ["One", "Two"])
    monkeypatch.setattr(services, "BATCH", 1)
    write, calls = services.write, []

    def dies(groups, audience):
        written = write(groups, audience)
        calls.append(groups)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return written

    monkeypatch.setattr(services, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        services.follow(now=now)
    assert of(people.owner)[0].count == 1

    monkeypatch.setattr(services, "write", write)
    services.follow(now=now)
    assert of(people.owner)[0].count == 2


def test_of_two_processes_one_tells(people, workspace, account, platform, now, monkeypatch):
    fail(workspace, account, platform, now, ["One"])
    alone = services.gathering.groups_of

    def overtaken(facts, workspace):
        monkeypatch.setattr(services.gathering, "groups_of", alone)
        services.follow(now=now)
        return alone(facts, workspace)

    monkeypatch.setattr(services.gathering, "groups_of", overtaken)
    services.follow(now=now)
    assert [row.count for row in of(people.owner)] == [1]


def test_a_lost_sign_in_is_for_those_who_may_sign_in_and_settles_by_itself(people, workspace, account, now):
    accounts.mark_needs_auth(account_id=account.pk, message="The token was revoked.", actor=ENGINE, now=now)
    services.follow(now=now)

    [notice] = of(people.owner)
    assert (notice.kind, line_of(notice).words) == ("sign_in", "News must be signed in again")
    assert of(people.author) == []

    accounts.reconnect(account=account, actor=ACTOR, now=now)
    services.follow(now=now)
    assert of(people.owner)[0].settled_at == now


def test_an_outage_is_over_when_the_platform_answers_again(people, workspace, account, now):
    CircuitState.objects.create(account=account, state="open", retry_at=now, failures=6)
    fact = {"at": now, "actor": ENGINE, "object_type": "account", "object_id": str(account.public_id)}
    emit(Fact(name="circuit.opened", workspace_id=workspace.pk, **fact))
    services.follow(now=now)
    [notice] = of(people.author)
    assert (line_of(notice).words, notice.settled_at, notice.needs_act) == (
        "News does not answer; its posts wait",
        None,
        False,
    )

    CircuitState.objects.update(state="closed")
    emit(Fact(name="circuit.closed", workspace_id=workspace.pk, **fact))
    services.follow(now=now)
    assert of(people.author)[0].settled_at == now


def test_reviews_go_to_reviewers_and_answers_to_the_author(people, workspace, account, now):
    approval.set_policy(
        workspace=workspace, account=None, reviewers=[], required=True, allow_own=False, remind_after_hours=24,
        actor=ACTOR, now=now,
    )  # fmt: skip
    schedule = make_schedule(workspace, [account], now, state="draft", start_local=now.replace(day=25, tzinfo=None))
    type(schedule).objects.filter(pk=schedule.pk).update(created_by=people.author)
    schedule.refresh_from_db()
    approval.submit(schedule=schedule, actor=actor(people.author), now=now)
    services.follow(now=now)
    [asked] = of(people.owner)
    assert line_of(asked).words == "ben asks you to review “A title”"
    assert of(people.author) == []

    schedule.refresh_from_db()
    approval.request_changes(schedule=schedule, comment="Shorter.", actor=actor(people.owner), now=now)
    services.follow(now=now)
    assert of(people.owner)[0].settled_at == now
    [answer] = of(people.author)
    assert (answer.kind, answer.needs_act, answer.settled_at) == ("changes", True, None)

    schedule.refresh_from_db()
    approval.submit(schedule=schedule, actor=actor(people.author), now=now)
    schedule.refresh_from_db()
    approval.approve(schedule=schedule, actor=actor(people.owner), now=now)
    services.follow(now=now)
    assert {row.kind: row.settled_at for row in of(people.author)} == {"changes": now, "approved": None}


def test_each_person_has_rules_and_published_posts_are_quiet_until_asked_for(people, workspace, account, platform, now):
    services.save_rules(person=people.viewer, kinds={Kind.PUBLISHED: True}, actor=actor(people.viewer), now=now)
    services.save_rules(person=people.owner, kinds={Kind.FAILED: False}, actor=actor(people.owner), now=now)
    fail(workspace, account, platform, now, ["Bad"])
    make_schedule(workspace, [account], now, text="Good")
    run_due(now)
    services.follow(now=now)

    assert [(row.kind, line_of(row).words) for row in of(people.viewer)] == [
        ("published", "“A title” is out on News"),
    ]
    assert of(people.owner) == []
    assert [row.kind for row in of(people.author)] == ["failed"]


def test_one_workspace_is_told_while_another_is_behind_and_nobody_who_left_hears(
    people, workspace, account, platform, now
):
    Membership.objects.filter(user=people.author).delete()
    fail(workspace, account, platform, now, ["One"])
    where = people.other_workspace.pk
    emit(Fact(name="account.auth_lost", at=now, actor=ENGINE, object_type="account", object_id="x", workspace_id=where))

    assert services.follow(now=now, workspace=people.other_workspace) == 1
    assert Notice.objects.count() == 0
    services.follow(now=now)
    assert [row.user for row in Notice.objects.all()] == [people.owner]


def test_what_ends_is_told_once_and_what_is_used_up_too(people, workspace, account, now):
    soon = now + timedelta(days=3)
    PlatformAccount.objects.filter(pk=account.pk).update(credentials_expire_at=soon, daily_cap=1)
    admission.admit(admission.for_calls([account.pk]).values(), now)

    assert ending.tell(now=now) == 3  # the sign-in for the owner, the limit for owner and author
    assert ending.tell(now=now) == 0
    words = {row.kind: line_of(row).words for row in of(people.owner)}
    assert words == {
        "token": "The sign-in of News ends soon",
        "limit": "News has used up its 1 call; more posts wait",
    }

    PlatformAccount.objects.filter(pk=account.pk).update(credentials_expire_at=now + timedelta(days=60))
    services.settle_all(now=now)
    assert [row.settled_at for row in of(people.owner, "token")] == [now]


def test_old_notices_go_but_never_what_is_open(people, workspace, account, platform, now):
    fail(workspace, account, platform, now, ["One"])
    services.follow(now=now)
    accounts.mark_needs_auth(account_id=account.pk, message="Gone.", actor=ENGINE, now=now)
    accounts.reconnect(account=account, actor=ACTOR, now=now)
    services.follow(now=now)
    services.read_all(person=people.owner, workspace=workspace, now=now)

    assert services.prune(now=now + timedelta(days=89)) == 0
    assert services.prune(now=now + timedelta(days=91)) == 1
    assert [row.kind for row in of(people.owner)] == ["failed"]
    assert services.prune(now=now + timedelta(days=366)) == 0


def test_days_are_those_of_the_reader(people, workspace, account, platform, now):
    fail(workspace, account, platform, now, ["One"])
    services.follow(now=now)
    Notice.objects.update(last_at=now.replace(hour=23, minute=30))

    with timezone.override("Europe/Berlin"):
        [day] = days_of(Notice.objects.filter(user=people.owner))
    assert f"{day.date}" == "2026-11-24"


def test_a_webhook_that_was_switched_off_is_told_to_those_who_manage_it_and_settles_when_it_goes_on(
    people, workspace, now
):
    fact = {
        "actor": ENGINE,
        "workspace_id": workspace.pk,
        "object_type": "webhook",
        "object_id": "w",
        "object_label": "CRM",
    }
    emit(Fact(name="webhook.disabled", at=now, after={"reason": "gone", "message": "Nobody listens."}, **fact))
    services.follow(now=now)

    [notice] = of(people.owner)
    line = line_of(notice)
    assert line.words.startswith("The webhook CRM was switched off")
    assert (line.detail, line.is_open) == ("Nobody listens.", True)
    assert of(people.author) == of(people.viewer) == []

    emit(Fact(name="webhook.resumed", at=now, **fact))
    services.settle(workspace=workspace, now=now)
    assert of(people.owner)[0].settled_at == now
