"""Units and facts: what is told, when, and what is not told because it did not happen."""

from __future__ import annotations

import pytest
from django.urls import reverse

from alwrity_scheduler.core.events import Fact, emit, unit
from alwrity_scheduler.core.ids import uuid7
from schedules.models import AuditLog
from schedules.services import facts
from tests.people import ACTOR

pytestmark = pytest.mark.django_db


def fact(name, now):
    return Fact(name=name, at=now, actor=ACTOR, object_type="thing", object_id="1")


@unit()
def undone(now):
    emit(fact("undone", now))
    raise ZeroDivisionError


def told():
    return list(AuditLog.objects.order_by("seq").values_list("action", flat=True))


def test_facts_are_handed_over_at_the_end_of_the_outermost_unit(now):
    with unit():
        with unit():
            emit(fact("inner", now))
        emit(fact("outer", now))
        assert told() == []

    assert told() == ["inner", "outer"]


def test_what_was_rolled_back_is_not_told(now):
    with unit():
        emit(fact("first", now))
        with pytest.raises(ZeroDivisionError):
            undone(now)
        emit(fact("last", now))

    assert told() == ["first", "last"]


def test_a_unit_that_fails_leaves_nothing_for_the_next_one(now):
    with pytest.raises(ZeroDivisionError):
        undone(now)
    with unit():
        emit(fact("later", now))

    assert told() == ["later"]


def test_a_fact_outside_of_a_unit_is_told_at_once(now):
    emit(fact("single", now))

    assert told() == ["single"]


def test_the_address_of_a_jobs_page_is_the_one_that_leads_there():
    public_id = uuid7()

    assert reverse("web:job", args=[public_id]) == facts.JOB_PAGE % public_id
