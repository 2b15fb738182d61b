"""The history: each write leaves one row, and a changed or missing row is found."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from alwrity_scheduler.core.errors import Refused
from schedules.models import AuditChain, AuditLog
from schedules.services import audit, lifecycle
from tests.people import ACTOR, make_schedule


@pytest.fixture
def history(workspace, account, now):
    schedule = make_schedule(workspace, [account], now)
    lifecycle.pause(schedule=schedule, actor=ACTOR, now=now)
    return AuditLog.objects.filter(workspace_ref=workspace.pk).order_by("seq")


def change(sql: str, *values: object) -> None:
    """As somebody with the database's password would."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_a_write_says_who_did_what_to_what_and_when(history, now):
    row = history.get(action="schedule.paused")

    assert (row.actor_label, row.object_type, row.at) == ("ana", "schedule", now)
    assert (row.before, row.after) == ({"state": "active"}, {"state": "paused"})


def test_an_untouched_log_holds(history):
    assert list(audit.verify()) == []


def test_a_changed_row_is_found(history):
    row = history.get(action="schedule.paused")
    change("UPDATE schedules_auditlog SET actor_label = 'somebody else' WHERE id = %s", row.pk)

    assert [found.seq for found in audit.verify()] == [row.seq]


def test_a_missing_row_is_found(history):
    row = history[1]
    change("DELETE FROM schedules_auditlog WHERE id = %s", row.pk)

    assert "is missing" in next(audit.verify()).message


def test_rows_missing_at_the_end_are_found(history):
    change("DELETE FROM schedules_auditlog WHERE id = %s", history.last().pk)

    assert "at the end" in next(audit.verify()).message


def test_a_row_that_was_rehashed_breaks_the_next_ones_link(history):
    row = history[1]
    row.actor_label = "somebody else"
    change(
        "UPDATE schedules_auditlog SET actor_label = %s, hash = %s WHERE id = %s",
        row.actor_label,
        audit.digest(row),
        row.pk,
    )

    assert [found.seq for found in audit.verify()] == [row.seq + 1]


def test_the_command_says_where_and_ends_with_an_error(history):
    change("UPDATE schedules_auditlog SET action = 'nothing' WHERE id = %s", history.last().pk)
    out = io.StringIO()

    with pytest.raises(CommandError, match="does not hold in 1 place"):
        call_command("verify_audit", stdout=out)
    assert "row was changed" in out.getvalue()


def test_what_is_refused_leaves_no_trace(history, workspace, account, now):
    before = AuditLog.objects.count()

    with pytest.raises(Refused):
        make_schedule(workspace, [account], now, text="x" * 5000)

    assert AuditLog.objects.count() == before
    assert AuditChain.objects.get(pk=workspace.pk).length == history.count()


def test_the_log_cannot_be_changed_through_its_queryset(history):
    with pytest.raises(TypeError):
        AuditLog.objects.update(action="nothing")
    with pytest.raises(TypeError):
        AuditLog.objects.all().delete()
