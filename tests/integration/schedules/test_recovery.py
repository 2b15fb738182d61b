"""The recovery desk's verbs: a new time, publish now, discard, look again, undo; one post and many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alwrity_scheduler.core.errors import IllegalTransition, Refused
from alwrity_scheduler.workspaces import services as workspaces
from platforms.errors import Rejected, Unavailable, UnknownOutcome
from platforms.services import accounts
from schedules.domain.recovery import Cause, Verb
from schedules.models import AuditLog, Job, JobCheck, Schedule
from schedules.reads import recovery as desk
from schedules.services import jobs, lifecycle, misfires, recovery
from schedules.services.recovery import Order
from schedules.services.schedules import plan_of, update_schedule
from tests.engine import claim_due, run_due
from tests.people import ACTOR, make_account, make_schedule

LATER = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def post(workspace, account, now):
    """`post("failed", reason=…)`: a post of this moment, put into that state."""

    def put(state, *, on=None, **values):
        made = make_schedule(workspace, [on or account], now)
        if state == "running":
            values |= {"lease_until": now, "worker": "w"}
        Job.objects.filter(schedule=made).update(state=state, **values)
        return Job.objects.select_related("schedule", "account").get(schedule=made)

    return put


def last_fact(job):
    return AuditLog.objects.of("job", job.public_id).first()


def said(refusal):
    return [(item.field, item.message) for item in refusal.value.problems]


# ---- a new time


@pytest.mark.parametrize(
    ("state", "reason"),
    [("failed", "exhausted"), ("missed", "too_late"), ("blocked", "auth"), ("blocked", "schedule_paused")],
)
def test_a_post_gets_a_new_time_and_goes_out_then(post, platform, now, state, reason):
    job = post(state, reason=reason, tries=5, finished_at=now, error_message="Old.", error_class="rejected")

    recovery.reslot(job=job, at=LATER, actor=ACTOR, now=now)
    run_due(now)
    assert platform.calls == []
    run_due(LATER)

    job.refresh_from_db()
    assert (job.state, job.scheduled_for, job.error_message, len(platform.calls)) == ("completed", LATER, "", 1)
    fact = AuditLog.objects.of("job", job.public_id).get(action="job.rescheduled")
    assert (fact.before["state"], fact.after["state"], fact.after["run_at"]) == (state, "pending", LATER.isoformat())


def test_a_new_time_is_refused_when_it_is_past(post, now):
    job = post("failed")

    with pytest.raises(Refused) as refusal:
        recovery.reslot(job=job, at=now, actor=ACTOR, now=now)
    assert said(refusal) == [("at", "This time is past. Choose a later one.")]


@pytest.mark.parametrize("state", ["pending", "running", "completed", "cancelled", "processing"])
def test_only_what_is_on_the_desk_gets_a_new_time(post, now, state):
    job = post(state, remote_id="1")

    with pytest.raises(IllegalTransition):
        recovery.reslot(job=job, at=LATER, actor=ACTOR, now=now)


def test_an_unconfirmed_post_gets_a_new_time_only_when_somebody_looked(post, now):
    job = post("unconfirmed")

    with pytest.raises(Refused) as refusal:
        recovery.reslot(job=job, at=LATER, actor=ACTOR, now=now)
    assert said(refusal) == [("seen_absent", "First look at the account; then say that the post is not there.")]
    JobCheck.objects.create(job=job, purpose="reconcile", run_at=now, created_at=now)
    recovery.reslot(job=job, at=LATER, actor=ACTOR, now=now, seen_absent=True)

    job.refresh_from_db()
    assert (job.state, JobCheck.objects.get().state) == ("pending", "done")


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        (datetime(2026, 12, 1, 9), "Europe/Berlin", "2026-12-01T08:00:00+00:00"),
        # 02:30 does not exist on 28 March 2027: moved on by the gap (R9)
        (datetime(2027, 3, 28, 2, 30), "Europe/Berlin", "2027-03-28T01:30:00+00:00"),
        # 02:30 comes twice on 31 October 2027: the first
        (datetime(2027, 10, 31, 2, 30), "Europe/Berlin", "2027-10-31T00:30:00+00:00"),
        # already tomorrow in Kiritimati
        (datetime(2026, 11, 23, 23), "Pacific/Kiritimati", "2026-11-23T09:00:00+00:00"),
    ],
)
def test_a_new_time_is_a_wall_clock_time_of_a_zone(now, local, zone, instant):
    assert recovery.slot(to_local=local, timezone=zone, now=now).isoformat() == instant


def test_a_new_time_survives_an_edit_of_its_schedule(post, platform, now):
    """R5: an edit replaces what the rule planned, not what a person placed."""
    job = post("missed", reason="too_late")
    recovery.reslot(job=job, at=LATER, actor=ACTOR, now=now)
    schedule = Schedule.objects.prefetch_related("targets", "exceptions").get(pk=job.schedule_id)
    update_schedule(schedule=schedule, plan=plan_of(schedule), version=schedule.version, actor=ACTOR, now=now)

    assert Job.objects.get(pk=job.pk).run_at == LATER


def test_a_new_time_that_is_missed_by_more_than_the_grace_comes_back_to_the_desk(post, platform, now):
    """R28: a once-only post may be six hours late."""
    job = post("missed", reason="too_late")
    recovery.reslot(job=job, at=LATER, actor=ACTOR, now=now)

    run_due(LATER + timedelta(hours=6, seconds=1))

    job.refresh_from_db()
    assert (job.state, job.reason, platform.calls) == ("missed", "deadline", [])


# ---- publish now


@pytest.mark.parametrize(("state", "reason"), [("failed", "exhausted"), ("missed", "too_late")])
def test_a_failed_or_missed_post_is_published_at_once(post, platform, now, state, reason):
    job = post(state, reason=reason)

    recovery.publish_now(job=job, actor=ACTOR, now=now)
    run_due(now)

    job.refresh_from_db()
    assert (job.state, AuditLog.objects.of("job", job.public_id).filter(action="job.retried").count()) == (
        "completed",
        1,
    )


def held_by_its_schedule(post, now):
    job = post("pending")
    lifecycle.pause(schedule=job.schedule, actor=ACTOR, now=now)
    run_due(now)
    job.refresh_from_db()
    assert (job.state, job.reason) == ("blocked", "schedule_paused")
    return job


def test_one_post_goes_out_although_its_schedule_is_paused(post, platform, now):
    job = held_by_its_schedule(post, now)

    recovery.publish_now(job=job, actor=ACTOR, now=now)
    run_due(now)

    job.refresh_from_db()
    assert (job.state, job.schedule.state) == ("completed", "paused")
    assert AuditLog.objects.of("job", job.public_id).filter(action="job.run_now").exists()


def test_the_hold_of_its_neighbours_does_not_take_a_post_let_through_along(workspace, account, platform, now):
    blog = make_account(workspace, now, name="Blog", platform="scripted")
    schedule = make_schedule(workspace, [account, blog], now)
    lifecycle.pause(schedule=schedule, actor=ACTOR, now=now)
    run_due(now)
    neighbour, job = Job.objects.order_by("id").select_related("schedule")
    Job.objects.filter(pk=neighbour.pk).update(state="pending", reason="", run_at=now - timedelta(seconds=1))
    recovery.publish_now(job=job, actor=ACTOR, now=now)

    run_due(now, limit=1)

    assert list(Job.objects.order_by("id").values_list("state", flat=True)) == ["blocked", "completed"]


def test_a_post_let_through_waits_for_its_turn_and_still_goes(post, account, platform, now):
    type(account).objects.filter(pk=account.pk).update(next_slot_at=now + timedelta(minutes=2), min_spacing_seconds=120)
    job = held_by_its_schedule(post, now)
    recovery.publish_now(job=job, actor=ACTOR, now=now)

    run_due(now)
    job.refresh_from_db()
    assert job.state == "pending"
    run_due(now + timedelta(minutes=2))

    job.refresh_from_db()
    assert job.state == "completed"


def test_a_post_let_through_is_on_hold_again_when_the_attempt_fails(post, platform, now):
    platform.script = [Unavailable("Down.")]
    job = held_by_its_schedule(post, now)

    recovery.publish_now(job=job, actor=ACTOR, now=now)
    run_due(now)
    run_due(now + timedelta(hours=2))

    job.refresh_from_db()
    assert (job.state, job.reason, len(platform.calls)) == ("blocked", "schedule_paused", 1)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("auth", "Connect the account again first."),
        ("account_paused", "The account is paused: resume it first."),
        ("workspace_paused", "The workspace is paused: resume it first."),
    ],
)
def test_other_holds_are_not_gone_round(post, now, reason, words):
    job = post("blocked", reason=reason)

    with pytest.raises(IllegalTransition) as refusal:
        recovery.publish_now(job=job, actor=ACTOR, now=now)
    assert said(refusal) == [("state", words)]


def test_r33_a_pause_of_the_account_still_holds_a_post_let_through(post, account, platform, now):
    job = held_by_its_schedule(post, now)
    recovery.publish_now(job=job, actor=ACTOR, now=now)
    accounts.pause(account=account, actor=ACTOR, now=now)

    run_due(now)

    job.refresh_from_db()
    assert (job.state, job.reason, platform.calls) == ("blocked", "account_paused", [])


def test_a_post_of_an_archived_schedule_is_not_sent(post, now):
    job = post("failed", reason="exhausted")
    lifecycle.archive(schedule=job.schedule, actor=ACTOR, now=now)

    for verb in (jobs.retry, recovery.publish_now):
        with pytest.raises(IllegalTransition) as refusal:
            verb(job=job, actor=ACTOR, now=now)
        assert said(refusal) == [("state", "Its schedule is archived: restore the schedule first.")]


# ---- discard, look again, undo


@pytest.mark.parametrize(
    ("state", "reason", "ends", "fact"),
    [
        ("failed", "rejected", "cancelled", "job.cancelled"),
        ("missed", "too_late", "cancelled", "job.cancelled"),
        ("blocked", "auth", "cancelled", "job.cancelled"),
        # it was sent, so it did not end before it began
        ("unconfirmed", "unknown", "failed", "job.failed"),
    ],
)
def test_what_is_discarded_leaves_the_desk_and_can_be_taken_back(post, now, state, reason, ends, fact):
    job = post(state, reason=reason, error_message="Why.", error_class="unknown", tries=3, finished_at=now)

    recovery.discard(job=job, actor=ACTOR, now=now)
    job.refresh_from_db()
    assert (job.state, job.reason, last_fact(job).action) == (ends, "by_person", fact)
    assert not Job.objects.needing_a_person().exists()

    recovery.undo(job=job, actor=ACTOR, now=now)
    job.refresh_from_db()
    assert (job.state, job.reason, job.error_message, job.error_class, job.tries, job.finished_at) == (
        state, reason, "Why.", "unknown", 3, now,
    )  # fmt: skip
    assert last_fact(job).action == "job.restored"
    assert JobCheck.objects.filter(job=job, state="pending").exists() == (state == "unconfirmed")


@pytest.mark.parametrize("state", ["pending", "running", "completed", "cancelled"])
def test_only_what_is_on_the_desk_is_discarded(post, now, state):
    with pytest.raises(IllegalTransition):
        recovery.discard(job=post(state, remote_id="1"), actor=ACTOR, now=now)


def test_a_retry_is_taken_back_while_nothing_was_sent(post, now):
    job = post("failed", reason="exhausted", tries=5)
    jobs.retry(job=job, actor=ACTOR, now=now)

    recovery.undo(job=job, actor=ACTOR, now=now)

    job.refresh_from_db()
    assert (job.state, job.reason, job.tries) == ("failed", "exhausted", 5)


def test_a_retry_is_not_taken_back_once_it_is_on_its_way(post, platform, now):
    job = post("failed", reason="exhausted")
    jobs.retry(job=job, actor=ACTOR, now=now)
    claim_due(now)

    with pytest.raises(IllegalTransition) as refusal:
        recovery.undo(job=job, actor=ACTOR, now=now)

    job.refresh_from_db()
    assert said(refusal) == [("state", "It can no longer be undone: the post has moved on.")]
    assert job.state == "running"


@pytest.mark.parametrize(
    "since",
    [
        # swept along by the hold of a neighbour
        {"state": "blocked", "reason": "account_paused"},
        # taken, and given back by a scheduler that was stopping
        {"attempt_count": 1},
        # retried once more by somebody else, a minute later
        {"deadline_at": datetime(2026, 11, 24, 8, 1, tzinfo=UTC)},
    ],
)
def test_what_happened_without_a_fact_is_not_written_over(post, now, since):
    job = post("failed", reason="exhausted")
    jobs.retry(job=job, actor=ACTOR, now=now)
    Job.objects.filter(pk=job.pk).update(**since)

    with pytest.raises(IllegalTransition):
        recovery.undo(job=job, actor=ACTOR, now=now)
    assert Job.objects.filter(pk=job.pk, **since).exists()


def test_a_cancelled_run_comes_back_only_while_its_schedule_is_as_it_was(post, now, after):
    job = post("pending")
    jobs.cancel(job=job, actor=ACTOR, now=now)
    recovery.undo(job=job, actor=ACTOR, now=now)
    assert job.state == "pending"

    jobs.cancel(job=job, actor=ACTOR, now=now)
    Schedule.objects.update(updated_at=after(seconds=1))
    job.schedule.refresh_from_db()
    with pytest.raises(IllegalTransition) as refusal:
        recovery.undo(job=job, actor=ACTOR, now=now)
    assert said(refusal)[0][1].startswith("It can no longer be undone. Its schedule has changed since")


def test_r28_a_post_with_a_time_of_its_own_is_not_the_latest_run(workspace, account, platform, now, after):
    """The rule's late run is published although a post with a later, chosen time is due as well."""
    make_schedule(workspace, [account], now, rule_kind="rrule", expression="FREQ=DAILY;COUNT=2")
    rule, placed = Job.objects.order_by("run_at").select_related("schedule")
    Job.objects.filter(pk=placed.pk).update(state="missed", reason="too_late")
    recovery.reslot(job=placed, at=after(minutes=30), actor=ACTOR, now=now)

    misfires.expire(now=after(minutes=40))

    rule.refresh_from_db()
    assert (rule.state, rule.reason) == ("pending", "catch_up")


def test_what_the_engine_did_is_not_undone(post, platform, now):
    platform.script = [Rejected("No.")]
    job = post("pending")
    run_due(now)

    with pytest.raises(IllegalTransition) as refusal:
        recovery.undo(job=job, actor=ACTOR, now=now)
    assert said(refusal) == [("state", "There is nothing to undo.")]


def test_r23_a_person_has_an_unconfirmed_post_looked_up(post, platform, now):
    platform.script, platform.can_find = [UnknownOutcome("Cut off.")], False
    job = post("pending")
    run_due(now)
    job.refresh_from_db()
    assert (job.state, JobCheck.objects.count()) == ("unconfirmed", 0)

    with pytest.raises(Refused) as refusal:
        recovery.look_again(job=job, actor=ACTOR, now=now)
    assert said(refusal) == [
        ("state", "This platform cannot be asked whether it has a post. Look at the account yourself.")
    ]
    platform.can_find = True
    platform.finds = [UnknownOutcome("Not now.")]
    recovery.look_again(job=job, actor=ACTOR, now=now)
    assert last_fact(job).action == "job.look_up_asked"
    run_due(now + timedelta(seconds=1))

    assert (len(platform.asked), len(platform.calls)) == (1, 1)


def test_a_look_up_under_way_is_not_asked_for_twice(post, now):
    job = post("unconfirmed")
    JobCheck.objects.create(job=job, purpose="reconcile", state="running", run_at=now, created_at=now, lease_until=now)

    with pytest.raises(IllegalTransition):
        recovery.look_again(job=job, actor=ACTOR, now=now)


def test_the_fact_of_an_unknown_outcome_carries_what_a_notifier_needs(post, platform, now, settings):
    settings.PUBLIC_URL = "https://posts.example"
    platform.script, platform.can_find = [UnknownOutcome("Cut off.")], False
    job = post("pending")

    run_due(now)

    after = last_fact(job).after
    assert (last_fact(job).action, after["cause"], after["title"], after["account"], after["message"]) == (
        "job.unconfirmed",
        "Unconfirmed",
        "A title",
        "News",
        "Cut off.",
    )
    assert after["page"] == f"https://posts.example/app/jobs/{job.public_id}/"


# ---- many


def do(verb, now, **values):
    return recovery.many(order=Order(verb=verb, **values), chosen=Job.objects.all(), actor=ACTOR, now=now)


def test_many_are_done_and_each_refusal_stops_none_of_the_others(post, now):
    failed, unsure, missed = post("failed"), post("unconfirmed"), post("missed", reason="too_late")

    result = do(Verb.RETRY, now)

    assert (result.matched_count, result.done_count, result.left_count) == (3, 2, 0)
    assert [(item.job.pk, item.done) for item in result.outcomes] == [
        (failed.pk, True),
        (unsure.pk, False),
        (missed.pk, True),
    ]
    assert result.outcomes[1].problems[0].message == (
        "Only a failed, missed or cancelled post can be retried. It is unconfirmed now."
    )
    assert AuditLog.objects.filter(action="job.retried").count() == 2


def test_many_are_bounded_and_the_rest_is_told(post, now, monkeypatch):
    monkeypatch.setattr(recovery, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(recovery, "TOGETHER", 2)
    for _ in range(5):
        post("failed")

    result = do(Verb.DISCARD, now)

    assert (result.matched_count, result.done_count, result.left_count) == (5, 3, 2)


def test_unconfirmed_posts_are_never_sent_again_in_passing(post, platform, now):
    """R23: only who says that he has looked sends them again."""
    job = post("unconfirmed")

    for verb in (Verb.RETRY, Verb.PUBLISH_NOW):
        assert do(verb, now).done_count == 0
    assert do(Verb.RESLOT, now, at=LATER).done_count == 0
    with pytest.raises(Refused):
        do(Verb.PUBLISH_AGAIN, now)
    job.refresh_from_db()
    assert job.state == "unconfirmed"

    assert do(Verb.PUBLISH_AGAIN, now, seen_absent=True).done_count == 1


def test_confirming_many_is_refused(post, now):
    with pytest.raises(Refused) as refusal:
        do(Verb.CONFIRM, now)
    assert said(refusal) == [("verb", "This is done post by post, because each needs its own address.")]


def test_many_get_new_times_in_their_order_each_account_for_itself(post, workspace, now):
    slow = make_account(workspace, now, name="Slow", platform="scripted", min_spacing_seconds=1200)
    first, second, third = post("failed"), post("missed", reason="too_late"), post("failed")
    done_already = post("completed", remote_id="1")
    apart = [post("failed", on=slow), post("failed", on=slow)]

    do(Verb.RESLOT, now, at=LATER)

    times = {job.pk: job.run_at for job in Job.objects.all()}
    assert [times[job.pk] - LATER for job in (first, second, third)] == [
        timedelta(0), timedelta(minutes=5), timedelta(minutes=10),
    ]  # fmt: skip
    assert times[done_already.pk] == now
    # the account's own spacing is more than the least gap
    assert [times[job.pk] - LATER for job in apart] == [timedelta(0), timedelta(minutes=20)]


def test_a_chosen_gap_is_kept(post, now):
    both = [post("failed"), post("failed")]

    do(Verb.RESLOT, now, at=LATER, gap=timedelta(minutes=45))

    assert [Job.objects.get(pk=job.pk).run_at - LATER for job in both] == [timedelta(0), timedelta(minutes=45)]


@pytest.mark.parametrize("at", [None, datetime(2026, 11, 23, 8, tzinfo=UTC)])
def test_new_times_need_a_start_that_is_to_come(post, now, at):
    with pytest.raises(Refused) as refusal:
        do(Verb.RESLOT, now, at=at)
    assert said(refusal)[0][0] == "at"


def test_many_are_taken_back(post, now):
    kept, gone = post("failed", reason="exhausted"), post("missed", reason="too_late")
    do(Verb.DISCARD, now)
    jobs.retry(job=gone, actor=ACTOR, now=now)
    claim_due(now)

    result = recovery.undo_many(chosen=Job.objects.all(), actor=ACTOR, now=now)

    kept.refresh_from_db()
    assert (kept.state, result.done_count, result.matched_count) == ("failed", 1, 2)


# ---- the desk


def test_the_desk_counts_by_cause(post, now):
    post("failed", reason="rejected")
    post("failed", reason="by_person")
    post("missed", reason="too_late")
    post("unconfirmed", reason="unknown")
    post("blocked", reason="auth")
    post("blocked", reason="workspace_paused")
    post("blocked", reason="account_paused")
    post("completed", remote_id="1")

    assert desk.counts(Job.objects.all()) == {
        Cause.UNCONFIRMED: 1,
        Cause.FAILED: 1,
        Cause.MISSED: 1,
        Cause.SIGN_IN: 1,
        Cause.ON_HOLD: 2,
    }
    for cause, number in desk.counts(Job.objects.all()).items():
        assert Job.objects.with_cause(cause).count() == number
    assert Job.objects.needing_a_person().count() == 6


def test_rows_are_read_in_a_fixed_number_of_queries(post, now, django_assert_num_queries):
    for state in ("unconfirmed", "failed", "missed", "blocked") * 3:
        post(state)

    with django_assert_num_queries(2):
        rows = desk.rows(desk.with_cases(Job.objects.order_by("id")))
    assert [row.cause for row in rows[:4]] == [Cause.UNCONFIRMED, Cause.FAILED, Cause.MISSED, Cause.ON_HOLD]


def test_a_row_tells_of_the_coming_look_up(post, platform, now):
    platform.script, platform.finds = [UnknownOutcome("Cut off.")], [UnknownOutcome("Ask later.")]
    job = post("pending")
    run_due(now)
    run_due(now + timedelta(seconds=1))

    (row,) = desk.rows(desk.with_cases(Job.objects.all()))

    coming = JobCheck.objects.get(job=job).run_at
    assert [item.words for item in row.known] == [
        "It was due",
        "1 attempt was made; the schedule allows 5 in a row.",
        "The last answer: “Cut off.”",
        "Looked up once. The last look-up: “Ask later.”",
        "It is looked up again by itself",
    ]
    assert row.known[-1].at == coming
    assert Verb.LOOK_AGAIN in row.verbs


def test_the_words_are_those_of_a_real_late_post(post, platform, now):
    job = post("pending")
    misfires.expire(now=now + timedelta(days=1))
    workspaces.set_workspace_paused(workspace=job.workspace, paused=True, actor=ACTOR, now=now)

    (row,) = desk.rows(desk.with_cases(Job.objects.all()))

    assert row.cause is Cause.MISSED
    assert row.options[0].effect.endswith("It waits on hold until the workspace is resumed.")
