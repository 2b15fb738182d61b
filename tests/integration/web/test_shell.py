"""The frame: fragments and pages, live parts, the zone, the workspace switch, tokens, error pages, the admin's blocks."""

from __future__ import annotations

import re
from pathlib import Path

import django
import pytest
from django.urls import reverse

from alwrity_scheduler.workspaces.models import ApiToken
from schedules.web import icons
from tests.integration.web.conftest import HTMX

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", ["today", "schedules", "jobs", "accounts"])
def test_one_address_serves_page_and_fragment(owner, name):
    page = owner.get(reverse(f"web:{name}"))
    part = owner.get(reverse(f"web:{name}"), headers=HTMX)

    assert b"<html" in page.content
    assert b"<html" not in part.content
    assert "HX-Request" in page.headers["Vary"]
    assert part.headers["Cache-Control"] == "no-store"


def test_back_gets_the_whole_page(owner):
    response = owner.get(reverse("web:jobs"), headers=HTMX | {"HX-History-Restore-Request": "true"})

    assert b"<html" in response.content


def test_a_live_part_that_is_the_same_is_not_sent_again(owner):
    first = owner.get(reverse("web:jobs"), headers=HTMX)
    again = owner.get(reverse("web:jobs"), headers=HTMX | {"X-Seen": first.headers["X-Seen"]})

    assert again.status_code == 204


def test_a_session_that_ended_sends_htmx_to_sign_in(client, team):
    response = client.get(
        reverse("web:jobs"), headers=HTMX | {"HX-Current-URL": "http://testserver/app/jobs/?tab=done"}
    )

    assert response.status_code == 204
    assert response.headers["HX-Redirect"].startswith(reverse("login"))


def test_times_are_in_the_persons_zone_and_say_which(owner, team):
    body = owner.get(reverse("web:schedule", args=[team.daily.public_id])).content.decode()

    assert "Mon 23 Nov, 18:00 CET" in body
    assert 'datetime="2026-11-23T17:00:00Z"' in body


def test_a_reader_in_another_zone_sees_both(team, browser_of):
    team.people.viewer.timezone = "America/New_York"
    team.people.viewer.save()
    body = browser_of(team.people.viewer).get(reverse("web:schedule", args=[team.daily.public_id])).content.decode()

    assert "Mon 23 Nov, 12:00 EST" in body
    assert "Mon 23 Nov, 18:00 CET (UTC+01:00)" in body


def test_the_edit_form_keeps_the_wall_clock_in_any_zone(team, browser_of):
    """Pitfall 1: a template that moves wall clocks into the active zone would shift this by six hours."""
    team.people.author.timezone = "America/New_York"
    team.people.author.save()
    body = (
        browser_of(team.people.author).get(reverse("web:schedule_edit", args=[team.daily.public_id])).content.decode()
    )

    assert 'name="date" value="2026-11-23"' in body
    assert 'name="time" value="18:00"' in body
    assert 'name="zone" value="Europe/Berlin"' in body


def test_a_person_sets_the_zone(viewer, team):
    refused = viewer.post(reverse("web:settings_section", args=["language"]), {"timezone": "Berlin"})
    viewer.post(reverse("web:settings_section", args=["language"]), {"timezone": "Asia/Kolkata"})

    team.people.viewer.refresh_from_db()
    assert refused.status_code == 422
    assert team.people.viewer.timezone == "Asia/Kolkata"


def test_the_workspace_switch_takes_only_ones_own(owner, team):
    response = owner.post(
        reverse("web:switch_workspace"), {"workspace": str(team.people.other_workspace.public_id)}, follow=True
    )

    assert b"There is no such workspace for you" in response.content
    assert b"Elsewhere" not in response.content


def test_a_token_is_shown_once_and_revoked(owner, team):
    made = owner.post(reverse("web:team"), {"name": "Robot", "role": "author", "days": "30"}).content.decode()
    token = ApiToken.objects.get()

    assert re.search(r"alw_[\w-]{40,}", made)
    assert not re.search(r"alw_[\w-]{40,}", owner.get(reverse("web:team")).content.decode())
    owner.post(reverse("web:token_revoke", args=[token.public_id]))
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_tokens_are_the_owners_business(author, stranger, owner, team):
    owner.post(reverse("web:team"), {"name": "Robot", "role": "author"})
    token = ApiToken.objects.get()

    assert author.post(reverse("web:team"), {"name": "Mine", "role": "owner"}).status_code == 403
    assert b"Robot" not in author.get(reverse("web:team")).content
    assert author.post(reverse("web:token_revoke", args=[token.public_id])).status_code == 403
    assert stranger.post(reverse("web:token_revoke", args=[token.public_id])).status_code == 404


def test_a_connected_account_never_shows_its_secret_again(owner, team):
    made = owner.post(
        reverse("web:account_connect", args=["http"]),
        {
            "name": "Desk",
            "timezone": "UTC",
            "option-publish_url": "https://example.com/p",
            "secret-bearer_token": "very-secret-token",
        },
    )
    account = team.workspace.accounts.get(name="Desk")
    page = owner.get(reverse("web:account", args=[account.public_id])).content.decode()

    assert b"whsec_" in made.content  # generated, shown this once
    assert "whsec_…" in page
    assert account.credentials["signing_secret"] not in page
    assert "very-secret-token" not in page


def test_account_settings_are_refused_at_their_field(owner, team):
    response = owner.post(
        reverse("web:account_connect", args=["http"]),
        {"name": "Desk", "timezone": "UTC", "option-publish_url": "ftp://x"},
        headers=HTMX,
    )

    assert response.status_code == 422
    assert b'id="err_option-publish_url"' in response.content


def test_sign_in_works_without_script_and_keeps_where_one_was_going(client, team):
    page = client.get(reverse("login") + "?next=/app/jobs/")
    response = client.post(reverse("login"), {"login": "ana", "password": "correct horse", "next": "/app/jobs/"})

    assert b'name="next" value="/app/jobs/"' in page.content
    assert response.headers["Location"] == "/app/jobs/"


def test_error_pages_say_what_to_do(owner, client, settings):
    assert b"There is nothing here" in owner.get("/app/nothing-here/").content
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("login"), {"login": "x", "password": "y"})
    assert answer.status_code == 403
    assert b"nothing was changed" in answer.content


def test_every_icon_exists_in_the_wheel():
    data, _digest = icons.sprite()

    assert data.count(b"<symbol") == len(icons.NAMES)


def test_every_icon_named_in_a_template_is_known():
    used = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())
    }

    assert used <= set(icons.NAMES)


def test_the_admin_frame_has_every_block_that_djangos_has():
    def blocks(path: Path) -> set[str]:
        return set(re.findall(r"{%\s*block\s+([\w-]+)", path.read_text()))

    theirs = blocks(Path(django.__file__).parent / "contrib/admin/templates/admin/base.html")
    assert theirs - blocks(ROOT / "templates/admin/base.html") == set()


def test_the_policy_is_strict(owner):
    policy = owner.get(reverse("web:today")).headers["Content-Security-Policy"]

    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy
