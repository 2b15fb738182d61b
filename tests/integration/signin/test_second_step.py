"""The second step: an app's code, codes for recovery, who must have one, and that nothing goes around it."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from alwrity_scheduler.core import secrets
from alwrity_scheduler.signin import reads
from alwrity_scheduler.workspaces.models import User
from schedules.models import AuditLog
from tests.integration.signin.codes import code

pytestmark = pytest.mark.django_db


def set_up(client: Client) -> tuple[str, list[str]]:
    """Switch the app on, as a person does: (secret, recovery codes)."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    secret = re.search(r'id="totp-secret">(\w+)<', page).group(1)
    answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    shown = client.get(answer["Location"])
    assert "no-store" in shown["Cache-Control"]
    return secret, re.findall(r"\d{8}", re.search(r'id="codes">(.*?)</pre>', shown.content.decode(), re.S).group(1))


@pytest.fixture
def ana(people, sign_in, kinds, django_capture_on_commit_callbacks):
    """ana with a second step: her browser, the app's secret, her codes."""
    client, _ = sign_in("ana")
    with django_capture_on_commit_callbacks(execute=True):
        secret, codes = set_up(client)
    return client, secret, codes


def test_after_the_password_comes_the_code(ana, sign_in, kinds):
    _, secret, codes = ana
    assert len(codes) == 10
    assert kinds() == ["sign_in.succeeded", "mfa.added", "mfa.added"]
    client, answer = sign_in("ana", to="/app/jobs/")
    assert answer["Location"] == reverse("mfa_authenticate")
    # not in yet, whatever else is asked
    assert client.get("/app/").status_code == 302
    assert client.get("/api/v1/schedules/").status_code == 401
    assert client.get("/admin/").status_code == 302
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200
    assert "err_code" in wrong.content.decode()
    assert "mfa.failed" in kinds()
    assert client.post(reverse("mfa_authenticate"), {"code": code(secret, steps=1)})["Location"] == "/app/jobs/"
    assert client.get("/app/").status_code == 200


def test_a_code_opens_once(ana, sign_in):
    _, secret, _ = ana
    now = code(secret, steps=1)
    first, _ = sign_in("ana")
    assert first.post(reverse("mfa_authenticate"), {"code": now}).status_code == 302
    second, _ = sign_in("ana")
    assert second.post(reverse("mfa_authenticate"), {"code": now}).status_code == 200
    assert second.get("/app/").status_code == 302


def test_a_recovery_code_opens_once_and_they_are_shown_once(ana, sign_in, kinds, django_capture_on_commit_callbacks):
    client, _, codes = ana
    assert codes[0] not in client.get(reverse("mfa_view_recovery_codes")).content.decode()
    for expected in (302, 200):
        other, _ = sign_in("ana")
        assert other.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == expected
    assert kinds().count("mfa.recovery_used") == 1
    assert "9 left" in client.get(reverse("web:settings_section", args=["security"])).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_generate_recovery_codes"))
    other, _ = sign_in("ana")
    assert other.post(reverse("mfa_authenticate"), {"code": codes[1]}).status_code == 200
    assert AuditLog.objects.filter(action="person.recovery_codes_made").count() == 1


def test_guessing_codes_locks(ana, sign_in):
    client, _ = sign_in("ana")
    answers = [client.post(reverse("mfa_authenticate"), {"code": f"{n:06}"}).status_code for n in range(11)]
    assert answers == [200] * 10 + [429]


def test_seeds_are_encrypted_and_come_along_when_keys_change(ana, people, settings, capsys):
    _, secret, _ = ana
    row = Authenticator.objects.get(user=people.owner, type="totp")
    stored = row.data["secret"]
    assert secret not in str(row.data)
    assert secrets.decrypt(stored) == secret
    settings.ENCRYPTION_KEYS = [secrets.generate_key(), *settings.ENCRYPTION_KEYS]
    call_command("rotate_keys")
    assert "mfa.Authenticator.data: 2 of 2 rows re-encrypted." in capsys.readouterr().out
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    row.refresh_from_db()
    assert row.data["secret"] != stored
    assert secrets.decrypt(row.data["secret"]) == secret


def test_changing_the_second_step_asks_who_it_is_once_more(ana, settings):
    client, _, _ = ana
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert Authenticator.objects.filter(type="totp").exists()
    # the password, and what was asked for goes on
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    client.post(answer["Location"], {"password": "correct horse"})
    assert not Authenticator.objects.exists()
    assert set(AuditLog.objects.filter(action="person.mfa_removed").values_list("actor_label", flat=True)) == {"ana"}


@pytest.mark.parametrize(
    ("rule", "closed"),
    [
        ("none", set()),
        ("staff", {"root"}),
        ("owners", {"root", "ana", "sid"}),
        ("everyone", {"root", "ana", "ben", "sid"}),
    ],
)
def test_who_must_have_one_is_led_to_set_it_up(people, sign_in, settings, rule, closed):
    settings.SIGNIN_REQUIRE_MFA = rule
    User.objects.create_superuser("root", password="correct horse")
    led = set()
    for name in ("root", "ana", "ben", "sid"):
        client, _ = sign_in(name)
        answer = client.get("/app/jobs/")
        if answer.status_code == 302:
            assert answer["Location"] == reverse("mfa_index")
            assert client.get("/api/v1/schedules/").json()["code"] == "second_step_needed"
            assert client.get("/admin/").status_code == 302
            assert client.get("/app/jobs/", headers={"HX-Request": "true"})["HX-Redirect"] == reverse("mfa_index")
            assert "You must have a second step" in client.get(reverse("mfa_index")).content.decode()
            led.add(name)
    assert led == closed


def test_once_it_is_set_up_everything_opens(people, sign_in, settings):
    settings.SIGNIN_REQUIRE_MFA = "everyone"
    client, _ = sign_in("ana")
    set_up(client)
    assert client.get("/app/jobs/").status_code == 200


def test_the_admin_has_no_door_of_its_own(people, sign_in, ana):
    User.objects.filter(username="ana").update(is_staff=True, is_superuser=True)
    client = Client()
    form = {"username": "ana", "password": "correct horse", "next": "/admin/"}
    assert client.post("/admin/login/", form)["Location"] == "/login/?next=%2Fadmin%2F"
    assert client.get("/admin/").status_code == 302
    # in by the one door: with the code
    client, _answer = sign_in("ana", to="/admin/")
    client.post(reverse("mfa_authenticate"), {"code": code(ana[1], steps=1)})
    assert client.get("/admin/").status_code == 200
    page = client.get("/admin/mfa/authenticator/").content.decode()
    assert ana[1] not in page
    assert "gAAAA" not in page
    for closed in ("socialaccount/socialapp", "socialaccount/socialtoken"):
        assert client.get(f"/admin/{closed}/").status_code == 404


def test_who_lost_everything_is_helped_by_the_operator(
    ana, people, sign_in, kinds, capsys, django_capture_on_commit_callbacks
):
    client, secret, _ = ana
    kept = reads.held(people.owner)
    assert {"second_step", "session"} <= {name for row in kept for name in row}
    assert secret not in str(kept)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("forget_second_factors", "ana")
    assert kinds()[-1] == "mfa.removed"
    assert "2 second steps of ana" in capsys.readouterr().out
    assert client.get("/app/").status_code == 302
    assert sign_in("ana")[1]["Location"] == reverse("home")
    fact = AuditLog.objects.get(action="person.mfa_removed")
    assert (fact.actor_kind, fact.after) == ("command", {"types": ["recovery_codes", "totp"]})
