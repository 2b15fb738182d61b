"""The security log: what gets into it, who reads it, what is odd, when it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from alwrity_scheduler.core import sightings
from alwrity_scheduler.core.events import Fact, emit
from alwrity_scheduler.core.sightings import Sighting
from alwrity_scheduler.security import services
from alwrity_scheduler.security.models import SecurityAlert, SecurityEvent
from alwrity_scheduler.workspaces import services as workspaces
from schedules.models import AuditLog
from schedules.notifications import services as notices
from schedules.notifications.models import Notice
from tests.integration.api.callers import signed_in, with_token
from tests.people import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def see(kind: str, at: Any, times: int = 1, **values: Any) -> None:
    for _ in range(times):
        sightings.tell(Sighting(kind=kind, at=at, **values))


def kinds_of_alerts() -> list[str]:
    return sorted(SecurityAlert.objects.values_list("kind", flat=True))


def test_who_may_what_is_in_the_log_in_the_same_transaction(people, now):
    SecurityEvent.objects.all().delete()
    workspaces.set_role(workspace=people.workspace, user=people.viewer, role="owner", actor=ACTOR, now=now)
    _token, secret = workspaces.create_token(
        workspace=people.workspace, name="n8n", role="author", actor=ACTOR, now=now
    )

    rows = list(SecurityEvent.objects.order_by("id"))

    assert [row.kind for row in rows] == ["member.role_set", "token.created"]
    assert rows[0].details == {"object": "Team", "user": "vera", "role": "owner"}
    assert {row.workspace_ref for row in rows} == {people.workspace.pk}
    assert secret not in str([row.details for row in rows])


def test_a_refusal_is_seen_once_a_minute(people, now):
    viewer = signed_in(people.viewer)
    for _ in range(3):
        assert viewer.post("content/", {"text": "Hi"}).status_code == 403
    page = viewer.client.get("/app/security/")

    rows = SecurityEvent.objects.filter(kind="access.refused").order_by("id")

    assert page.status_code == 403
    assert [(row.who, row.user_ref, row.details["path"]) for row in rows] == [
        ("vera", people.viewer.pk, "/api/v1/content/"),
        ("vera", people.viewer.pk, "/app/security/"),
    ]
    assert rows[0].address == "127.0.0.1"


def test_owners_read_it_and_others_only_what_concerns_them(people, now):
    see("sign_in.succeeded", now, who="ben", user_id=people.author.pk)
    see("sign_in.succeeded", now, who="sid", user_id=people.stranger.pk)

    def names(user: Any) -> set[str]:
        return {row.who for row in SecurityEvent.objects.visible_to(user).filter(kind="sign_in.succeeded")}

    assert names(people.owner) == {"ben"}
    assert names(people.author) == {"ben"}
    assert names(people.viewer) == set()
    assert names(people.stranger) == {"sid"}
    _row, secret = workspaces.create_token(workspace=people.workspace, name="t", role="manager", actor=ACTOR, now=now)
    assert with_token(secret).get("security/events/", kind="sign_in.succeeded").json()["results"] == []


@pytest.mark.parametrize(("kind", "times", "alert"), [
    ("sign_in.failed", services.MANY_FAILURES, "guessing"),
    ("mfa.failed", services.MANY_FAILURES, "guessing"),
    ("sign_in.failed", services.MANY_FAILURES - 1, None),
])  # fmt: skip
def test_guessing_is_odd_and_told_once(people, now, kind, times, alert):
    see(kind, now, times, who="ben", user_id=people.author.pk, address="198.51.100.7")

    first, second = services.watch(now=now), services.watch(now=now + timedelta(seconds=60))

    assert (first, second) == ((1, 0) if alert else (0, 0))
    assert kinds_of_alerts() == ([alert] if alert else [])
    # later it is no matter of the last minutes any more
    assert services.watch(now=now + timedelta(minutes=30)) == 0


def test_a_token_or_a_person_somewhere_new(people, now):
    token, _ = workspaces.create_token(workspace=people.workspace, name="n8n", role="author", actor=ACTOR, now=now)
    for days, address in ((9, "198.51.100.7"), (8, "198.51.100.200")):
        at = now - timedelta(days=days)
        see("sign_in.succeeded", at, who="ben", user_id=people.author.pk, address=address)
        see("token.used", at, who="n8n", token_id=token.pk, workspace_id=people.workspace.pk, address=address)
    assert services.watch(now=now) == 0

    see("sign_in.succeeded", now, who="ben", user_id=people.author.pk, address="198.51.100.9")
    assert services.watch(now=now) == 0
    see("sign_in.succeeded", now, who="ben", user_id=people.author.pk, address="203.0.113.9")
    see("token.used", now, who="n8n", token_id=token.pk, workspace_id=people.workspace.pk, address="203.0.113.9")

    assert services.watch(now=now) == 2
    assert kinds_of_alerts() == ["new_place", "token_elsewhere"]
    # nobody's first place is new
    see("sign_in.succeeded", now, who="vera", user_id=people.viewer.pk, address="203.0.113.9")
    assert services.watch(now=now) == 0


def test_prying_spraying_and_a_second_factor_that_goes(people, now):
    see("sign_in.failed", now, services.MANY_BY_ADDRESS, address="203.0.113.9")
    see("mfa.removed", now, who="ben", user_id=people.author.pk)
    for number in range(services.MANY_REFUSALS):
        see("access.refused", now, who="vera", user_id=people.viewer.pk, details={"path": f"/{number}"})

    assert services.watch(now=now) == 3
    assert kinds_of_alerts() == ["mfa_removed", "prying", "spraying"]


def test_owners_are_told_and_say_that_it_is_all_right(people, now):
    see("mfa.removed", now, who="ben", user_id=people.author.pk)
    services.watch(now=now)
    notices.follow(now=now)

    notice = Notice.objects.get(kind="security")
    assert (notice.user, notice.words["name"]) == (people.owner, "ben")
    page = signed_in(people.owner).client.get("/app/notifications/").content.decode()
    assert "A second factor was removed: ben" in page
    log = signed_in(people.owner).client.get("/app/security/").content.decode()
    assert "Look at these" in log
    alert = SecurityAlert.objects.get()
    assert signed_in(people.viewer).post(f"security/alerts/{alert.public_id}/seen/").status_code == 404
    answer = signed_in(people.owner).client.post("/app/security/alerts/seen/", {"alert": alert.key})
    assert answer.status_code == 303
    alert.refresh_from_db()
    assert (alert.seen_at, alert.seen_by) == (alert.seen_at, "ana")
    assert alert.seen_at is not None
    assert AuditLog.objects.filter(action="security.alert_seen").exists()


def test_the_log_keeps_for_as_long_as_is_said(people, now, settings):
    SecurityEvent.objects.all().delete()
    see("sign_in.succeeded", now - timedelta(days=100), who="ben")
    assert services.prune(now=now) == 0
    settings.RETENTION_DAYS = {"security log": 90}
    assert services.prune(now=now) == 1


def test_the_history_tells_of_alerts_to_owners_only(people, now):
    for name in ("security.alert", "person.erased", "history.resealed", "workspace.changed"):
        emit(
            Fact(
                name=name, at=now, actor=ACTOR, object_type="alert", object_id="1", object_label="",
                workspace_id=people.workspace.pk,
            )
        )  # fmt: skip

    def seen(caller: Any) -> set[str]:
        return {row["action"] for row in caller.get("audit/", object_type="alert").json()["results"]}

    def token(role: str) -> Any:
        made = {"workspace": people.workspace, "name": role, "role": role, "actor": ACTOR, "now": now}
        return with_token(workspaces.create_token(**made)[1])

    everything = {"security.alert", "person.erased", "history.resealed", "workspace.changed"}
    assert seen(signed_in(people.owner)) == seen(token("owner")) == everything
    assert seen(signed_in(people.viewer)) == seen(token("manager")) == {"workspace.changed"}


def test_alerts_that_are_open_are_asked_for_by_yes_or_no(people):
    owner = signed_in(people.owner)

    assert owner.get("security/alerts/", open="true").status_code == 200
    assert owner.get("security/alerts/", open="maybe").json()["errors"][0]["field"] == "open"
