"""The security log as its owners read it."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse

from alwrity_scheduler.workspaces import invitations
from alwrity_scheduler.workspaces import services as workspaces
from tests.conftest import NOW
from tests.people import ACTOR


def test_the_log_reads_as_words_and_says_nothing_twice(owner, team):
    by = {"workspace": team.workspace, "actor": ACTOR, "now": NOW}
    workspaces.create_token(
        name="n8n", role="author", scopes=["jobs:read", "jobs:write"], expires_at=NOW + timedelta(days=90), **by
    )
    invitations.invite(email="jo@example.com", role="viewer", **by)

    page = owner.get(reverse("web:security")).content.decode()

    assert "n8n · role: author · areas: jobs:read, jobs:write · ends: Sun 21 Feb 2027, 09:00 CET" in page
    assert "jo@example.com · role: viewer" in page
    assert "object:" not in page
    assert "[&#x27;" not in page
