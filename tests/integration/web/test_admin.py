"""All data: every model opens, history is read-only, verbs go through the services and report what did not work."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from schedules.models import AuditLog
from schedules.models import Schedule as ScheduleModel


@pytest.fixture
def root(team, browser_of, django_user_model):
    return browser_of(django_user_model.objects.create_superuser("root", timezone="Europe/Berlin"))


def names(model):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"


def test_every_list_opens(root, in_state):
    in_state("failed")
    for model in admin.site._registry:
        assert root.get(reverse(f"{names(model)}_changelist")).status_code == 200, model


def test_every_row_opens(root, in_state):
    in_state("failed")
    opened = 0
    for model in admin.site._registry:
        row = model._default_manager.first()
        if row is not None:
            assert root.get(reverse(f"{names(model)}_change", args=[row.pk])).status_code == 200, model
            opened += 1
    assert opened > 8


@pytest.mark.parametrize("model", ["attempt", "auditlog", "engagement", "occurrence", "job", "schedule", "contentitem"])
def test_history_is_neither_added_to_nor_deleted(root, team, model):
    assert root.get(reverse(f"admin:schedules_{model}_add")).status_code == 403
    assert root.post(reverse(f"admin:schedules_{model}_delete", args=[1])).status_code == 403


def test_an_action_reports_how_many_worked_and_why_others_did_not(root, team):
    url = reverse("admin:schedules_schedule_changelist")
    chosen = [team.daily.pk, team.draft.pk]

    response = root.post(url, {"action": "pause", "_selected_action": chosen}, follow=True)

    body = response.content.decode()
    assert ScheduleModel.objects.get(pk=team.daily.pk).state == "paused"
    assert "Paused: 1." in body
    assert "Not changed: 1." in body
    assert "cannot become paused" in body
    assert AuditLog.objects.filter(action="schedule.paused", actor_label="root").count() == 1


def test_staff_see_their_own_workspaces_only(team, browser_of):
    from django.contrib.auth.models import Permission

    person = team.people.stranger
    person.is_staff = True
    person.save()
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    body = browser_of(person).get(reverse("admin:schedules_schedule_changelist")).content

    assert b"0 schedules" in body


def test_a_membership_is_written_by_its_service(root, team):
    root.post(
        reverse("admin:workspaces_membership_add"),
        {"workspace": team.workspace.pk, "user": team.people.stranger.pk, "role": "viewer"},
    )

    assert AuditLog.objects.filter(action="member.role_set", actor_label="root").exists()
