"""Posts that are out: deleted, updated and counted at their platform, and what is said when the platform does not answer."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from alwrity_scheduler.core.errors import Refused
from platforms.adapters.sandbox.models import SandboxComment, SandboxPost
from platforms.contracts import Metrics
from platforms.errors import RateLimited, Rejected, UnknownOutcome
from platforms.models import AccountState, PlatformAccount
from platforms.registry import adapters
from schedules.domain import figures
from schedules.models import Attempt, AuditLog, ContentItem, Engagement, Job, Reading
from schedules.services import afterwards, measuring
from tests.conftest import NOW
from tests.engine import ScriptedAdapter, run_due
from tests.people import make_account, make_schedule

pytestmark = pytest.mark.django_db


class AbleAdapter(ScriptedAdapter):
    """The scripted platform with all that can be done afterwards; `answers` are given in order, `calls_made` is what was asked."""

    def __init__(self) -> None:
        super().__init__(key="able")
        self.answers: list[Any] = []
        self.calls_made: list[tuple[str, Any]] = []
        self.can = frozenset({"delete", "edit", "metrics"})

    def offers(self, account: Any) -> frozenset[str]:
        return self.can

    def _next(self, name: str, what: Any, usual: Any) -> Any:
        assert not connection.in_atomic_block or connection.savepoint_ids == []  # only the test's own transaction
        self.calls_made.append((name, what))
        return self._give(self.answers.pop(0) if self.answers else usual)

    def delete(self, account: Any, remote_id: str, *, timeout: float) -> None:
        self._next("delete", remote_id, None)

    def edit(self, publication: Any, remote_id: str, *, timeout: float) -> Any:
        from platforms.contracts import Published

        usual = Published(remote_id=remote_id, url="https://x.test/2", notes=("The picture stayed.",))
        return self._next("edit", publication, usual)

    def metrics(self, account: Any, remote_ids: Any, *, timeout: float) -> Any:
        return self._next(
            "metrics", list(remote_ids), [Metrics(remote_id=item, values={"likes": 2}) for item in remote_ids]
        )


@pytest.fixture
def able():
    adapter = AbleAdapter()
    adapters._entries[adapter.key] = adapter
    yield adapter
    adapters._entries.pop(adapter.key)


@pytest.fixture
def out(able, workspace):
    """A post that is out since NOW."""
    account = make_account(workspace, NOW, platform="able")
    job = Job.objects.get(schedule=make_schedule(workspace, [account], NOW))
    run_due(NOW)
    job.refresh_from_db()
    assert job.state == "completed"
    return job


def facts(job: Job) -> list[str]:
    return list(AuditLog.objects.of("job", job.public_id).order_by("id").values_list("action", flat=True))


def test_deleted_once_and_the_job_stays_published(able, out, actor, after):
    afterwards.take_down(job=out, actor=actor, now=after(minutes=5))

    assert able.calls_made == [("delete", out.remote_id)]
    assert (out.state, out.taken_down_at) == ("completed", after(minutes=5))
    attempt = Attempt.objects.get(job=out, purpose="delete")
    assert (attempt.no, attempt.outcome, attempt.message) == (1, "done", "Deleted at the platform.")
    assert facts(out)[-1] == "job.taken_down"
    for verb in (afterwards.take_down, afterwards.amend):
        with pytest.raises(Refused, match="was deleted"):
            verb(job=out, actor=actor, now=after(minutes=6))
    assert afterwards.abilities(out) == frozenset()
    assert len(able.calls_made) == 1


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (UnknownOutcome("No answer."), "not known whether the post was deleted.*trying again does no harm", "unknown"),
        (Rejected("Too old.", platform_message="can't be deleted"), "refused.*Too old.*can't be deleted", "rejected"),
    ],
)
def test_what_the_platform_answers_is_told_and_kept(able, out, actor, after, error, words, code):
    able.answers = [error]
    with pytest.raises(Refused, match=words) as caught:
        afterwards.take_down(job=out, actor=actor, now=after(minutes=5))

    assert caught.value.problems[0].code == code
    out.refresh_from_db()
    assert out.taken_down_at is None
    assert Attempt.objects.get(job=out, purpose="delete").outcome == code
    assert facts(out)[-1] == "job.completed"
    afterwards.take_down(job=out, actor=actor, now=after(minutes=6))
    assert list(Attempt.objects.filter(job=out, purpose="delete").values_list("no", "outcome")) == [
        (1, code),
        (2, "done"),
    ]


def test_an_update_puts_the_present_words_there(able, out, actor, after):
    ContentItem.objects.filter(pk=out.schedule.content_id).update(text="Better", version=7)
    afterwards.amend(job=out, actor=actor, now=after(minutes=5))

    ((_, publication),) = able.calls_made
    assert (publication.text, publication.key) == ("Better", out.idempotency_key)
    assert (out.content_version, out.remote_url, out.state) == (7, "https://x.test/2", "completed")
    attempt = Attempt.objects.get(job=out, purpose="edit")
    assert (attempt.outcome, attempt.message) == ("done", "Updated at the platform. The picture stayed.")
    assert attempt.request["text"] == "Better"
    assert facts(out)[-1] == "job.amended"


def test_an_update_that_the_platform_would_refuse_is_not_sent(able, out, actor, after):
    ContentItem.objects.filter(pk=out.schedule.content_id).update(text="x" * 1001)
    with pytest.raises(Refused, match="1,001"):
        afterwards.amend(job=out, actor=actor, now=after(minutes=5))
    assert able.calls_made == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "failed"}, "Only a published post"),
        ({"reason": "by_person"}, "marked this post as published"),
    ],
)
def test_what_is_not_out_under_a_known_id_is_left_alone(able, out, actor, after, change, words):
    Job.objects.filter(pk=out.pk).update(**change)
    for verb in (afterwards.take_down, afterwards.amend):
        with pytest.raises(Refused, match=words):
            verb(job=out, actor=actor, now=after(minutes=5))
    with pytest.raises(Refused, match=words):
        afterwards.refresh_figures(jobs=[out], now=after(minutes=5))
    assert able.calls_made == []


def test_an_account_that_cannot_do_it_is_not_asked(able, out, actor, after):
    able.can = frozenset({"edit"})
    with pytest.raises(Refused, match="delete it at the platform"):
        afterwards.take_down(job=out, actor=actor, now=after(minutes=5))
    PlatformAccount.objects.filter(pk=out.account_id).update(state=AccountState.NEEDS_AUTH)
    with pytest.raises(Refused, match="signing in"):
        afterwards.amend(job=Job.objects.get(pk=out.pk), actor=actor, now=after(minutes=5))
    assert able.calls_made == []


def test_a_platform_that_asks_to_wait_is_left_alone(able, out, actor, after):
    able.answers = [RateLimited("Slow down.", retry_after_seconds=600)]
    with pytest.raises(Refused):
        afterwards.take_down(job=out, actor=actor, now=after(minutes=5))
    with pytest.raises(Refused, match="left alone until 2026-11-23 08:15"):
        afterwards.take_down(job=Job.objects.get(pk=out.pk), actor=actor, now=after(minutes=6))
    assert len(able.calls_made) == 1


def test_figures_keep_their_history(able, out, after):
    able.answers = [[Metrics(remote_id=out.remote_id, values={"likes": 1})], []]
    assert afterwards.refresh_figures(jobs=[out], now=after(minutes=5)) == 1
    assert afterwards.refresh_figures(jobs=[out], now=after(minutes=5, seconds=1)) == 0  # just asked
    assert afterwards.refresh_figures(jobs=[out], now=after(hours=1)) == 0  # it told nothing

    assert [(item.measured_at, item.values) for item in afterwards.readings(out)] == [
        (after(hours=1), {}), (after(minutes=5), {"likes": 1}),
    ]  # fmt: skip
    assert afterwards.latest(out).values == {"likes": 1}
    assert len(able.calls_made) == 2


def read(now):
    """What the plan and the engine do at `now`."""
    planned = measuring.plan(now=now)
    run_due(now)
    return planned


def test_figures_are_read_ever_more_seldom(able, out, after):
    hours = [0, 1, 2, 3, 6, 7, 12, 24, 25, 30, 72, 73, 100, 168, 170, 300, 720, 721, 722, 726, 740]
    for hour in hours:
        read(after(hours=hour, minutes=1))
    taken = [item.measured_at - NOW for item in afterwards.readings(out)][::-1]
    assert [round(item / timedelta(hours=1)) for item in taken] == [1, 6, 24, 72, 168, 720]
    assert Reading.objects.get().state == "done"


def test_one_call_for_an_accounts_posts_and_none_for_those_that_are_gone(able, out, workspace, actor, after):
    account = out.account
    second = Job.objects.get(schedule=make_schedule(workspace, [account], NOW))
    third = Job.objects.get(schedule=make_schedule(workspace, [account], NOW))
    run_due(NOW)
    third.refresh_from_db()
    afterwards.take_down(job=third, actor=actor, now=after(minutes=1))
    second.refresh_from_db()
    able.calls_made.clear()

    assert read(after(hours=1, minutes=1)) == 1
    ((name, asked),) = able.calls_made
    assert (name, sorted(asked)) == ("metrics", sorted([out.remote_id, second.remote_id]))
    assert read(after(hours=1, minutes=2)) == 0


def test_an_account_in_trouble_is_not_read(able, out, after):
    PlatformAccount.objects.filter(pk=out.account_id).update(state=AccountState.NEEDS_AUTH)
    assert read(after(hours=1, minutes=1)) == 0
    PlatformAccount.objects.filter(pk=out.account_id).update(state=AccountState.ACTIVE, not_before_at=after(hours=2))
    assert read(after(hours=1, minutes=1)) == 0
    assert able.calls_made == []
    assert read(after(hours=2, minutes=1)) == 1
    assert len(able.calls_made) == 1


def test_a_reading_that_fails_is_told_and_waits_for_the_next_step(able, out, after):
    able.answers = [Rejected("The app may not read figures.")]
    read(after(hours=1, minutes=1))
    read(after(hours=1, minutes=10))
    assert len(able.calls_made) == 1
    assert "may not read figures" in afterwards.readings(out)[0].message
    assert afterwards.latest(out) is None


def test_a_rate_limit_only_puts_the_reading_off(able, out, after):
    able.answers = [RateLimited("Slow down.", retry_after_seconds=1800)]
    read(after(hours=1, minutes=1))
    assert Engagement.objects.count() == 0
    assert Reading.objects.get().run_at == after(hours=1, minutes=31)
    run_due(after(hours=1, minutes=32))
    assert afterwards.latest(out).values == {"likes": 2}


def test_a_reading_whose_worker_died_is_made_again(able, out, after):
    from tests.engine import claim_due

    measuring.plan(now=after(hours=1, minutes=1))
    (claimed,) = claim_due(after(hours=1, minutes=1))
    assert measuring.ReadingKind().rescue(after(hours=1, minutes=3)) == 1
    run_due(after(hours=1, minutes=3))
    claimed[0].finish([(claimed[1], claimed[2], claimed[0].perform(claimed[2]))], after(hours=1, minutes=4))
    assert Engagement.objects.count() == 1


def test_windows_are_bounded_and_do_not_overlap(now):
    found = list(figures.windows(now))
    assert len(found) == len(figures.STEPS)
    assert all(window.since < window.until for window in found)
    assert all(later.until <= earlier.since for earlier, later in pairwise(found))
    assert all(window.until - window.since <= figures.GRACE for window in found)


def test_the_sandbox_can_do_it_all(workspace, actor, after):
    account = make_account(workspace, NOW)
    job = Job.objects.get(schedule=make_schedule(workspace, [account], NOW))
    run_due(NOW)
    job.refresh_from_db()
    post = SandboxPost.objects.get()
    SandboxPost.objects.update(likes=4)
    SandboxComment.objects.create(post=post, author="Eve", text="Nice", created_at=NOW)

    afterwards.refresh_figures(jobs=[job], now=after(minutes=1))
    assert afterwards.latest(job).values == {"likes": 4, "replies": 1}
    ContentItem.objects.filter(pk=job.schedule.content_id).update(text="Better", version=2)
    afterwards.amend(job=job, actor=actor, now=after(minutes=2))
    post.refresh_from_db()
    assert (post.text, post.likes) == ("Better", 4)

    type(account).objects.filter(pk=account.pk).update(options={"fault_mode": "dropped_after_accepting"})
    job = Job.objects.get(pk=job.pk)
    with pytest.raises(Refused, match="not known whether"):
        afterwards.take_down(job=job, actor=actor, now=after(minutes=3))
    type(account).objects.filter(pk=account.pk).update(options={})
    afterwards.take_down(job=Job.objects.get(pk=job.pk), actor=actor, now=after(minutes=4))
    post.refresh_from_db()
    assert post.removed_at is not None
