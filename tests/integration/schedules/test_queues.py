"""Posts that must wait: they leave the due index, keep their order and are spread out afterwards. R14b, R28, R30, R31."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.db import connection

from platforms.errors import AuthFailed, RateLimited, Unavailable
from platforms.models import CircuitState, PlatformAccount, Service
from schedules.engine import work
from schedules.models import Job, Occurrence
from schedules.services import holds, outcomes, queues
from tests.engine import claim_due, run_due
from tests.people import make_account, make_schedule

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _two_seconds(settings):
    settings.ENGINE = {**settings.ENGINE, "recovery_spacing_seconds": 2.0}


@pytest.fixture
def make(workspace, now, hosted):
    def made(name, host="h", **values):
        return make_account(workspace, now, name=name, platform="hosted", options={"host": host}, **values)

    return made


def crowd(schedule, account, now, count, *, every=SECOND):
    """`count` more pending jobs of the account, due one after the other, the last a minute ago."""
    first = now - timedelta(minutes=11) - (count - 1) * every
    occurrences = Occurrence.objects.bulk_create(
        [
            Occurrence(
                schedule=schedule,
                nominal_at=now - timedelta(days=300) + place * SECOND,
                nominal_local=now.replace(tzinfo=None),
                fires_at=now,
                tzdata_version="",
            )
            for place in range(count)
        ]
    )
    Job.objects.bulk_create(
        [
            Job(
                workspace_id=account.workspace_id,
                schedule=schedule,
                occurrence=occurrence,
                account=account,
                serial_key=account.pk,
                scheduled_for=first + place * every,
                run_at=first + place * every,
                created_at=now,
                # the ids run against the times, so that an order by id shows
            )
            for place, occurrence in reversed(list(enumerate(occurrences)))
        ]
    )


def open_service(accounts, now):
    Service.objects.filter(accounts__in=accounts).update(
        state="open", failures=5, opened_at=now, retry_at=now + 30 * SECOND, last_error="No answer."
    )


def waiting_order(account):
    rows = Job.objects.filter(account=account, state="pending").order_by("run_at", "id")
    return list(rows.values_list("scheduled_for", flat=True))


def test_while_a_host_is_down_its_posts_wait_and_another_host_publishes_at_its_second(make, workspace, hosted, now):
    ill, well = [make(name) for name in ("One", "Two")], make("Three", host="other")
    hosted.down = {"h"}
    for account in ill:
        for _ in range(3):
            make_schedule(workspace, [account], now)
    make_schedule(workspace, [well], now, start_local=(now + 7 * SECOND).replace(tzinfo=None))
    for second in range(7):
        run_due(now + second * SECOND)

    run_due(now + 7 * SECOND)

    done = Job.objects.get(account=well)
    assert (done.state, done.finished_at) == ("completed", now + 7 * SECOND)
    assert Service.objects.get(key="hosted:h").state == "open"
    assert set(Job.objects.filter(account__in=ill).values_list("state", flat=True)) == {"pending"}
    assert not Job.objects.filter(account__in=ill, run_at__lte=now + 7 * SECOND).exists()


@pytest.mark.parametrize("dice", [0.0, 0.5, 0.99])
def test_a_post_that_only_tests_the_platform_loses_no_attempt_and_the_outage_may_last(
    make, workspace, hosted, now, monkeypatch, dice
):
    """With 0.0 it comes back before the pace of posts that waited lets it, and is still only a test."""
    monkeypatch.setattr(outcomes.dice, "random", lambda: dice)
    account, other = make("One"), make("Two")
    hosted.down = {"h"}
    make_schedule(workspace, [account], now, max_attempts=2)
    open_service([account, other], now)
    moment = now
    for _ in range(12):
        run_due(moment)
        moment = Job.objects.get().run_at

    assert len(hosted.calls) > 2
    assert (Job.objects.get().state, Job.objects.get().tries) == ("pending", 0)
    hosted.down = set()
    while Job.objects.get().state == "pending":
        run_due(Job.objects.get().run_at)
    assert Job.objects.get().state == "completed"


def test_r28_a_thousand_overdue_posts_of_one_account_leave_in_order_and_two_seconds_apart(make, workspace, hosted, now):
    account = make("One")
    schedule = make_schedule(workspace, [account], now + timedelta(days=1), catch_up="all")
    crowd(schedule, account, now, 1000)

    sent_at_once = run_due(now)

    assert sent_at_once == 1
    rows = Job.objects.filter(account=account, reason="waiting").order_by("run_at", "id")
    times = list(rows.values_list("run_at", "scheduled_for"))
    assert not rows.filter(run_at__lte=now).exists()
    placed = times[: queues.MOST_MOVED]
    assert all(later[0] - earlier[0] == 2 * SECOND for earlier, later in itertools.pairwise(placed))
    assert [item[1] for item in placed] == sorted(item[1] for item in placed)
    # those behind stand behind, and come in their turn
    assert min(item[0] for item in times[queues.MOST_MOVED :]) >= placed[-1][0]


def test_r28_over_time_none_leaves_early_and_none_out_of_order(make, workspace, hosted, now, monkeypatch):
    monkeypatch.setattr(queues, "MOST_MOVED", 4)
    account = make("One")
    schedule = make_schedule(workspace, [account], now + timedelta(days=1), catch_up="all")
    crowd(schedule, account, now, 15)
    moments = []
    hosted.on_call = lambda publication: moments.append((moment, publication.scheduled_for))
    for half in range(80):
        moment = now + half * SECOND / 2
        run_due(moment)

    assert len(moments) == 15
    assert [item[1] for item in moments] == sorted(item[1] for item in moments)
    assert all(later[0] - earlier[0] >= 2 * SECOND for earlier, later in itertools.pairwise(moments))


def test_after_an_outage_each_account_keeps_its_order_and_they_do_not_all_start_at_once(make, workspace, hosted, now):
    accounts = [make(name) for name in ("One", "Two", "Three", "Four")]
    for place, account in enumerate(accounts):
        other = make_schedule(workspace, [account], now + timedelta(days=1), text=f"{place}")
        crowd(other, account, now, 5)
    open_service(accounts, now)
    run_due(now)
    assert not Job.objects.filter(state="pending", run_at__lte=now).exists()
    assert Job.objects.filter(reason="platform_down").count() == 20

    probe_at = now + 30 * SECOND
    run_due(probe_at)

    waiting = Job.objects.filter(state="pending", reason="platform_down").order_by("run_at", "id")
    assert (len(hosted.calls), waiting.count()) == (1, 19)
    assert waiting.last().run_at <= probe_at + 15 * SECOND  # at once, not when the wait would have ended
    firsts = [waiting.filter(account=account).first().run_at for account in accounts]
    assert len(set(firsts)) == 4
    assert max(firsts) - min(firsts) < 2 * SECOND
    for account in accounts:
        times = list(waiting.filter(account=account).values_list("run_at", flat=True))
        assert all(later - earlier == 2 * SECOND for earlier, later in itertools.pairwise(times))
        order = waiting_order(account)[:4]
        assert order == sorted(order)


def test_an_accounts_own_spacing_is_kept_after_an_outage(make, workspace, hosted, now):
    account, other = make("One", min_spacing_seconds=60), make("Two")
    crowd(make_schedule(workspace, [account], now + timedelta(days=1)), account, now, 4)
    open_service([account, other], now)
    run_due(now)

    run_due(now + 30 * SECOND)

    times = list(Job.objects.filter(reason="platform_down").order_by("run_at").values_list("run_at", flat=True))
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [60 * SECOND] * 2


def test_r13_a_post_that_waited_ahead_of_its_time_is_not_let_go_before_it(make, workspace, hosted, now):
    account, other = make("One"), make("Two")
    make_schedule(workspace, [account], now)
    make_schedule(workspace, [account], now, start_local=(now + 60 * SECOND).replace(tzinfo=None))
    open_service([account, other], now)
    Service.objects.filter(accounts=account).update(retry_at=now + timedelta(minutes=15))
    run_due(now)
    assert Job.objects.filter(reason="platform_down", run_at__gte=now + timedelta(minutes=15)).count() == 2

    from platforms.contracts import Recovered

    queues.recovered(Recovered(account_ids=frozenset({account.pk})), now + 5 * SECOND)

    late, early = Job.objects.order_by("-scheduled_for")
    assert late.run_at == late.scheduled_for == now + 60 * SECOND
    assert early.run_at == now + 7 * SECOND


def test_r30_a_post_that_would_wait_past_its_deadline_is_missed_at_its_deadline(make, workspace, hosted, now):
    account = make("One")
    schedule = make_schedule(workspace, [account], now, deadline_seconds=6 * 3600)
    PlatformAccount.objects.filter(pk=account.pk).update(not_before_at=now + timedelta(days=2))
    run_due(now)
    deadline = Job.objects.get(schedule=schedule).deadline_at
    PlatformAccount.objects.update(not_before_at=now + timedelta(days=3))

    crowd(schedule, account, now, 3)
    Job.objects.exclude(deadline_at=deadline).update(deadline_at=deadline)
    Job.objects.update(run_at=now)
    run_due(now)
    run_due(deadline + SECOND)

    assert set(Job.objects.values_list("state", "reason")) == {("missed", "deadline")}
    assert hosted.calls == []


def test_a_post_that_a_person_wants_now_is_not_paced(make, workspace, hosted, now):
    from schedules.services import jobs
    from tests.people import ACTOR

    account = make("One")
    crowd(make_schedule(workspace, [account], now + timedelta(days=1), catch_up="all"), account, now, 3)
    run_due(now)
    last = Job.objects.filter(reason="waiting").order_by("-run_at").first()

    jobs.run_now(job=last, actor=ACTOR, now=now)
    run_due(now)

    last.refresh_from_db()
    assert last.state == "completed"


def test_r31_an_account_that_is_let_in_again_sends_what_waited_in_order(make, workspace, hosted, now):
    from platforms.services import accounts
    from tests.people import ACTOR

    account = make("One")
    hosted.script = [AuthFailed("No.")]
    for minute in (2, 0, 1):
        start = (now + timedelta(minutes=minute)).replace(tzinfo=None)
        make_schedule(workspace, [account], now, text=f"minute {minute}", start_local=start)
    later = now + timedelta(minutes=3)
    run_due(later)
    account.refresh_from_db()

    accounts.reconnect(account=account, actor=ACTOR, now=later)
    holds.release_held(now=later)
    for second in range(10):
        run_due(later + second * SECOND)

    assert [call.text for call in hosted.calls[1:]] == ["minute 0", "minute 1", "minute 2"]


def test_r14b_overdue_posts_that_may_not_go_leave_the_due_index_with_the_first_look(make, workspace, hosted, now):
    ill, well = make("One"), make("Two", host="other")
    crowd(make_schedule(workspace, [ill], now + timedelta(days=1)), ill, now, 3_000)
    make_schedule(workspace, [well], now)
    open_service([ill], now)

    tasks = claim_due(now, limit=16)
    while not tasks:
        tasks = claim_due(now, limit=16)

    assert [Job.objects.get(pk=claim.id).account_id for _, claim, _ in tasks] == [well.pk]
    assert work.due(Job.objects, now).count() == 0
    assert Job.objects.filter(account=ill, reason="platform_down", run_at__gt=now).count() == 3_000


def prepare_planner():
    """Fresh statistics; and a table of 3,000 rows that PostgreSQL would read whole counts as large."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")


def test_r14b_the_claim_of_others_reads_the_partial_index_alone(make, workspace, hosted, now):
    ill, well = make("One"), make("Two")
    for one in (ill, well):
        crowd(make_schedule(workspace, [one], now + timedelta(days=1)), one, now, 1_500)
    Job.objects.filter(account=ill).update(state="blocked", reason="auth")
    prepare_planner()

    plan = work.due(Job.objects, now)[:200].explain()

    assert "job_due" in plan
    assert "ORDER BY" not in plan
    assert "Sort" not in plan


def test_the_queue_of_an_account_is_read_from_its_own_index_in_its_order(make, workspace, hosted, now):
    account, other = make("One"), make("Two")
    for one in (account, other):
        crowd(make_schedule(workspace, [one], now + timedelta(days=1)), one, now, 1_500)
    Job.objects.filter(account=account).update(state="completed", remote_id="x")
    prepare_planner()

    rows = Job.objects.filter(account_id=other.pk, state="pending", run_at__lte=now)
    plan = rows.order_by("priority", "scheduled_for", "id")[:500].explain()

    assert "job_queue" in plan
    assert "ORDER BY" not in plan
    assert "Sort" not in plan


def test_a_queue_that_waits_already_moves_back_as_a_whole(make, workspace, hosted, now):
    account = make("One")
    schedule = make_schedule(workspace, [account], now + timedelta(days=1), catch_up="all")
    crowd(schedule, account, now, 6)
    run_due(now)
    before = waiting_order(account)
    PlatformAccount.objects.update(not_before_at=now + 6 * SECOND)

    run_due(now + 2 * SECOND)

    assert waiting_order(account) == before
    times = Job.objects.filter(reason="waiting").order_by("run_at").values_list("run_at", flat=True)
    assert [(at - now).total_seconds() for at in times] == [6, 8, 10, 12, 14]


def test_a_rate_limited_account_delays_no_other(make, workspace, hosted, now):
    limited, free = make("One"), make("Two")
    hosted.script = [RateLimited("Slow down.", retry_after_seconds=120)]
    for _ in range(3):
        make_schedule(workspace, [limited], now)
    run_due(now)
    make_schedule(workspace, [free], now)

    run_due(now)

    assert Job.objects.get(account=free).state == "completed"
    assert Job.objects.filter(account=limited, run_at__gte=now + 120 * SECOND).count() == 3


def test_an_accounts_own_circuit_that_closes_lets_its_posts_go(make, workspace, hosted, now, monkeypatch):
    monkeypatch.setattr(outcomes.dice, "random", lambda: 0.0)  # the one that failed comes back within a second
    account = make("One")
    hosted.script = [Unavailable("No answer.")]
    CircuitState.objects.create(account=account, failures=4, last_error="No answer.")
    for _ in range(4):
        make_schedule(workspace, [account], now)
    run_due(now)
    assert Job.objects.filter(reason="platform_down").count() == 4

    run_due(now + 30 * SECOND)

    assert Job.objects.filter(state="completed").count() == 1
    waiting = Job.objects.filter(reason="platform_down").order_by("run_at").values_list("run_at", flat=True)
    assert list(waiting) == [now + 32 * SECOND, now + 34 * SECOND, now + 36 * SECOND]
