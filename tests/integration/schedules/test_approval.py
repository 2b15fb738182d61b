"""Approval: who may decide, what an approval covers, what an edit does, links from outside, reminders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alwrity_scheduler.core.errors import IllegalTransition, NotAllowed, Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import User
from schedules.models import AuditLog, Job, Review, ReviewComment, Schedule
from schedules.services import approval, jobs, lifecycle, reviewing
from schedules.services import schedules as service
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan
from tests.engine import run_due
from tests.people import ACTOR, make_account, make_schedule

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


def actor(person: User) -> Actor:
    return Actor(kind="user", id=str(person.pk), label=person.get_username())


@pytest.fixture
def approver(people, now):
    person = User.objects.create_user("carla", password="correct horse")
    workspaces.set_role(workspace=people.workspace, user=person, role="approver", actor=ACTOR, now=now)
    return person


@pytest.fixture
def account(people, now):
    return make_account(people.workspace, now)


@pytest.fixture
def policy(people, now):
    def made(account=None, reviewers=(), **values):
        values = {"required": True, "allow_own": False, "remind_after_hours": 24, **values}
        return approval.set_policy(
            workspace=people.workspace,
            account=account,
            reviewers=reviewers,
            actor=actor(people.owner),
            now=now,
            **values,
        )

    return made


def plan(*accounts, at, **values):
    targets = tuple(TargetPlan(account_id=str(row.public_id)) for row in accounts)
    given = {"rule_kind": "once", "timezone": "UTC", "start_local": at.replace(tzinfo=None), "targets": targets}
    return SchedulePlan(**{**given, **values})


def write(people, now, *accounts, state="draft", text="Hello", at=None, **values):
    return service.create_schedule(
        workspace=people.workspace, content=ContentDraft(text=text), plan=plan(*accounts, at=at or now + HOUR, **values),
        state=state, actor=actor(people.author), now=now, person=people.author,
    )  # fmt: skip


def edit(row, people, now, *, text=None, who=None, **values):
    targets = [target.account for target in row.targets.all()]
    draft = None if text is None else ContentDraft(text=text)
    return service.update_schedule(
        schedule=row, plan=plan(*targets, at=values.pop("at", now + HOUR), **values), version=row.version,
        actor=actor(who or people.author), now=now, draft=draft,
    )  # fmt: skip


def test_without_a_policy_nothing_changes(people, account, now):
    assert write(people, now, account, state="active").state == "active"


def test_what_needs_approval_is_not_put_to_work_by_any_way(people, account, policy, now):
    policy()
    with pytest.raises(Refused) as caught:
        write(people, now, account, state="active")
    assert [problem.code for problem in caught.value.problems] == ["approval_required"]
    assert not Schedule.objects.exists()

    draft = write(people, now, account)
    for verb in (lifecycle.activate, jobs.publish_now):
        with pytest.raises(Refused) as caught:
            verb(schedule=draft, actor=actor(people.owner), now=now)
        assert caught.value.problems[0].code == "approval_required"
    assert Schedule.objects.get().state == "draft"
    assert not Job.objects.exists()


def test_asked_approved_and_out_at_its_time(people, account, policy, approver, now):
    policy()
    draft = write(people, now, account)
    review = approval.submit(schedule=draft, actor=actor(people.author), now=now, comment="For the launch.")
    assert (Schedule.objects.get().state, review.state) == ("in_review", "waiting")
    assert not Job.objects.exists()

    approval.approve(schedule=draft, actor=actor(approver), now=now, comment="Fine.")

    assert Schedule.objects.get().state == "active"
    run_due(now + HOUR)
    assert Job.objects.get().state == "completed"
    assert [row.text for row in ReviewComment.objects.all()] == ["For the launch.", "Fine."]
    names = list(AuditLog.objects.filter(action__startswith="review.").order_by("id").values_list("action", flat=True))
    assert names == ["review.policy_changed", "review.requested", "review.approved"]


@pytest.mark.parametrize(("who", "words"), [("author", "own post"), ("viewer", "role"), ("stranger", "workspace")])
def test_who_may_not_decide(people, account, policy, now, who, words):
    policy()
    draft = write(people, now, account)
    approval.submit(schedule=draft, actor=actor(people.author), now=now)
    with pytest.raises(NotAllowed) as caught:
        approval.approve(schedule=draft, actor=actor(getattr(people, who)), now=now)
    assert words in str(caught.value)
    assert Review.objects.get().state == "waiting"


def test_nobody_approves_what_they_wrote_or_edited_unless_it_is_allowed(people, account, policy, approver, now):
    policy()
    draft = write(people, now, account)
    approval.submit(schedule=draft, actor=actor(people.author), now=now)
    edited = edit(draft, people, now, text="Mine now", who=approver)
    with pytest.raises(NotAllowed):
        approval.approve(schedule=edited, actor=actor(approver), now=now)
    assert [row.state for row in Review.objects.order_by("id")] == ["replaced", "waiting"]

    policy(allow_own=True)
    approval.approve(schedule=edited, actor=actor(approver), now=now)
    assert Schedule.objects.get().state == "active"


def test_named_reviewers_decide_and_the_accounts_rule_goes_before_the_workspaces(
    people, account, policy, approver, now
):
    other = make_account(people.workspace, now, name="Brand")
    policy(required=False)
    policy(account=other, reviewers=[people.author])
    assert write(people, now, account, state="active").state == "active"
    owners = service.create_schedule(
        workspace=people.workspace, content=ContentDraft(text="x"), plan=plan(account, other, at=now + HOUR), state="draft",
        actor=actor(people.owner), now=now, person=people.owner,
    )  # fmt: skip
    approval.submit(schedule=owners, actor=actor(people.owner), now=now)
    with pytest.raises(NotAllowed, match="named"):
        approval.approve(schedule=owners, actor=actor(approver), now=now)
    # named reviewers need no role that approves in general
    approval.approve(schedule=owners, actor=actor(people.author), now=now)
    assert Schedule.objects.get(pk=owners.pk).state == "active"


def test_a_token_approves_nothing(people, account, policy, now):
    policy()
    draft = write(people, now, account)
    approval.submit(schedule=draft, actor=actor(people.author), now=now)
    with pytest.raises(NotAllowed):
        approval.approve(schedule=draft, actor=Actor(kind="token", id="x", label="API token x"), now=now)


def test_changes_are_asked_for_with_words_and_lead_back_to_a_draft(people, account, policy, approver, now):
    policy()
    draft = write(people, now, account)
    approval.submit(schedule=draft, actor=actor(people.author), now=now)
    with pytest.raises(Refused) as caught:
        approval.request_changes(schedule=draft, actor=actor(approver), now=now, comment=" ")
    assert caught.value.problems[0].field == "comment"

    approval.request_changes(schedule=draft, actor=actor(approver), now=now, comment="The price is wrong.")

    assert (Schedule.objects.get().state, Review.objects.get().state) == ("draft", "changes")
    again = approval.submit(schedule=draft, actor=actor(people.author), now=now)
    assert again.state == "waiting"


def test_withdrawn(people, account, policy, now):
    policy()
    draft = write(people, now, account)
    approval.submit(schedule=draft, actor=actor(people.author), now=now)
    approval.withdraw(schedule=draft, actor=actor(people.author), now=now)
    assert (Schedule.objects.get().state, Review.objects.get().state) == ("draft", "withdrawn")
    with pytest.raises(IllegalTransition):
        approval.withdraw(schedule=draft, actor=actor(people.author), now=now)


@pytest.fixture
def live(people, account, policy, approver, now):
    """A daily schedule whose words are approved and which has planned its posts."""
    policy()
    row = write(people, now, account, rule_kind="rrule", expression="FREQ=DAILY")
    approval.submit(schedule=row, actor=actor(people.author), now=now)
    approval.approve(schedule=row, actor=actor(approver), now=now)
    row.refresh_from_db()
    assert Job.objects.filter(state="pending").exists()
    return row


def test_an_edit_of_approved_words_asks_again_and_holds_what_is_planned(people, live, approver, now):
    edited = edit(live, people, now, text="Other words", rule_kind="rrule", expression="FREQ=DAILY")
    assert edited.state == "in_review"
    run_due(now + 2 * HOUR)
    assert not Job.objects.filter(state="completed").exists()

    approval.approve(schedule=edited, actor=actor(approver), now=now + 2 * HOUR)

    assert Schedule.objects.get().state == "active"
    run_due(now + 26 * HOUR)
    run_due(now + 26 * HOUR)
    assert Job.objects.filter(state="completed").exists()


def test_another_time_needs_no_new_look(people, live, now):
    edited = edit(live, people, now, at=now + 3 * HOUR, rule_kind="rrule", expression="FREQ=DAILY")
    assert edited.state == "active"


def test_an_account_that_nobody_looked_at_asks_again_and_one_less_does_not(people, live, account, now):
    more = make_account(people.workspace, now, name="More")
    row = service.update_schedule(
        schedule=live, plan=plan(account, more, at=now + HOUR, rule_kind="rrule", expression="FREQ=DAILY"),
        version=live.version, actor=actor(people.author), now=now,
    )  # fmt: skip
    assert row.state == "in_review"


def test_a_paused_schedule_stays_paused_after_its_approval(people, live, approver, now):
    lifecycle.pause(schedule=live, actor=ACTOR, now=now)
    live.refresh_from_db()
    edited = edit(live, people, now, text="Other words", rule_kind="rrule", expression="FREQ=DAILY")
    assert edited.state == "in_review"
    approval.approve(schedule=edited, actor=actor(approver), now=now)
    assert Schedule.objects.get().state == "paused"


def test_a_rejected_edit_of_a_live_schedule_pauses_it_and_resuming_needs_approval(people, live, approver, now):
    edited = edit(live, people, now, text="Other words", rule_kind="rrule", expression="FREQ=DAILY")
    approval.request_changes(schedule=edited, actor=actor(approver), now=now, comment="No.")
    row = Schedule.objects.get()
    assert row.state == "paused"
    with pytest.raises(Refused) as caught:
        lifecycle.resume(schedule=row, actor=ACTOR, now=now)
    assert caught.value.problems[0].code == "approval_required"


def test_following_times_with_the_same_words_go_on_and_with_others_wait(people, live, now):
    at = (now + 49 * HOUR).replace(tzinfo=None)
    target = live.targets.get().account
    same = lifecycle.split(
        schedule=live, nominal_local=at, plan=plan(target, at=now + 50 * HOUR, rule_kind="rrule", expression="FREQ=DAILY"),
        version=live.version, actor=actor(people.author), now=now,
    )  # fmt: skip
    assert same.state == "active"
    other = lifecycle.split(
        schedule=same, nominal_local=(now + 74 * HOUR).replace(tzinfo=None), version=same.version,
        plan=plan(target, at=now + 75 * HOUR, rule_kind="rrule", expression="FREQ=DAILY"),
        draft=ContentDraft(text="New"), actor=actor(people.author), now=now,
    )  # fmt: skip
    assert other.state == "in_review"
    assert Review.objects.filter(schedule=other, state="waiting").count() == 1


def test_approved_too_late_it_is_an_approved_draft_that_any_author_may_schedule(people, account, policy, approver, now):
    policy()
    draft = write(people, now, account)
    approval.submit(schedule=draft, actor=actor(people.author), now=now)
    late = now + timedelta(days=10)
    approval.approve(schedule=draft, actor=actor(approver), now=late)
    row = Schedule.objects.get()
    assert row.state == "draft"
    assert reviewing.approval_of(row) is not None
    moved = edit(row, people, late, at=late + HOUR)
    assert lifecycle.activate(schedule=moved, actor=actor(people.author), now=late).state == "active"


def test_what_is_refused_by_a_platform_is_not_sent_for_approval(people, account, policy, now):
    policy()
    draft = write(people, now, account, text="x" * 6000)
    with pytest.raises(Refused) as caught:
        approval.submit(schedule=draft, actor=actor(people.author), now=now)
    assert caught.value.problems[0].field == "text"
    assert not Review.objects.exists()


@pytest.fixture
def link(people, account, policy, now):
    policy()
    draft = write(people, now, account)
    approval.submit(schedule=draft, actor=actor(people.author), now=now)
    return approval.make_link(schedule=draft, label="Jo of Acme", actor=actor(people.author), now=now)


def test_somebody_from_outside_approves_by_a_link(people, link, now):
    found = approval.link_of(approval.token_of(link), now)
    assert found == link
    outside = Actor(kind="link", label="Jo of Acme (outside)", id=str(link.public_id))
    review = approval.approve(schedule=found.review.schedule, actor=outside, now=now, link=found, comment="Good")
    assert (review.decided_by, review.decided_label) == (None, "Jo of Acme (outside)")
    assert Schedule.objects.get().state == "active"
    assert AuditLog.objects.get(action="review.approved").after["by"] == "Jo of Acme (outside)"


def test_a_link_ends_by_time_by_hand_and_by_any_change_of_its_token(people, link, now):
    token = approval.token_of(link)
    assert approval.link_of(token, link.expires_at) is None
    assert approval.link_of(token[:-1] + ("A" if token[-1] != "A" else "B"), now) is None
    assert approval.link_of("nonsense", now) is None
    approval.revoke_link(link=link, actor=ACTOR, now=now)
    assert approval.link_of(token, now) is None


def test_a_link_for_looking_decides_nothing_and_an_old_one_not_about_new_words(people, link, now):
    outside = Actor(kind="link", label="Jo", id=str(link.public_id))
    schedule = link.review.schedule
    looking = approval.make_link(schedule=schedule, label="Kim", actor=ACTOR, now=now, may_decide=False)
    with pytest.raises(NotAllowed):
        approval.approve(schedule=schedule, actor=outside, now=now, link=looking)
    edited = edit(schedule, people, now, text="Other words")
    with pytest.raises(NotAllowed):
        approval.approve(schedule=edited, actor=outside, now=now, link=link)
    assert Schedule.objects.get().state == "in_review"


def test_reviewers_hear_at_once_and_are_reminded_three_times(people, account, policy, approver, now):
    policy(remind_after_hours=2)
    draft = write(people, now, account)
    review = approval.submit(schedule=draft, actor=actor(people.author), now=now)
    assert {person.get_username() for person in approval.reviewers_of(draft, review)} == {"ana", "carla"}
    heard = []
    for hours in range(12):
        for row in Review.objects.to_notify(now + hours * HOUR):
            assert approval.noticed(review=row, now=now + hours * HOUR)
            assert not approval.noticed(review=row, now=now + hours * HOUR)  # another process has told them
            heard.append(hours)
    assert heard == [0, 2, 4, 6]
    assert AuditLog.objects.filter(action="review.reminded").count() == 3


def test_a_reviewer_must_be_of_the_team(people, policy):
    with pytest.raises(Refused) as caught:
        policy(reviewers=[people.viewer, people.stranger])
    assert [problem.field for problem in caught.value.problems] == ["reviewers", "reviewers"]


def test_archiving_takes_the_request_back(people, account, policy, now):
    policy()
    draft = write(people, now, account)
    approval.submit(schedule=draft, actor=actor(people.author), now=now)
    lifecycle.archive(schedule=Schedule.objects.get(), actor=ACTOR, now=now)
    assert Review.objects.get().state == "withdrawn"


def test_a_workspace_without_policies_pays_one_query_for_them(people, account, now, django_assert_num_queries):
    row = make_schedule(people.workspace, [account], now + HOUR)
    with django_assert_num_queries(2):  # the schedule's accounts, the policies
        assert not reviewing.is_missing(row)


def test_notes_and_campaigns_are_not_published_and_ask_for_nothing(people, live, now):
    words = ContentDraft(text="Hello", notes="internal", campaign="Spring")
    target = live.targets.get().account
    row = service.update_schedule(
        schedule=live, plan=plan(target, at=now + HOUR, rule_kind="rrule", expression="FREQ=DAILY"), version=live.version,
        actor=actor(people.author), now=now, draft=words,
    )  # fmt: skip
    assert row.state == "active"
    assert replace(reviewing.covered(row)) == reviewing.stored(Review.objects.get())


def test_words_changed_by_themselves_ask_again_and_approved_ones_that_come_back_do_not(people, live, now):
    """The content's own page and API change it without touching the schedule."""
    content, who = live.content, {"actor": actor(people.author), "now": now}
    service.edit_content(content=content, draft=ContentDraft(text="Other"), version=content.version, **who)
    assert Schedule.objects.get().state == "in_review"
    run_due(now + 2 * HOUR)
    assert not Job.objects.filter(state="completed").exists()

    approval.approve(schedule=Schedule.objects.get(), actor=actor(people.owner), now=now)
    content.refresh_from_db()
    service.edit_content(content=content, draft=ContentDraft(text="Third"), version=content.version, **who)
    assert Schedule.objects.get().state == "in_review"
    content.refresh_from_db()
    approval.approve(schedule=Schedule.objects.get(), actor=actor(people.owner), now=now)
    service.restore_version(content=content, number=2, version=content.version, **who)
    assert (Schedule.objects.get().state, Schedule.objects.get().content.text) == ("active", "Other")
