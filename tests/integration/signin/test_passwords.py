"""Passwords: one answer for every mistake, argon2, the lock on guessing, the reset by mail, and no way around."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from alwrity_scheduler.signin import services
from alwrity_scheduler.workspaces.models import User
from schedules.models import AuditLog
from tests.people import ACTOR

pytestmark = pytest.mark.django_db
ARGON, OLD = "django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"


def test_a_person_signs_in_by_name_or_address_and_lands_where_they_were_going(people, sign_in, kinds):
    User.objects.filter(pk=people.owner.pk).update(email="ana@team.test")
    for name in ("ana", "ANA", "ana@team.test", "Ana@Team.test"):
        client, answer = sign_in(name, to="/app/jobs/")
        assert (answer.status_code, answer["Location"]) == (302, "/app/jobs/"), name
        assert client.get("/app/jobs/").status_code == 200
    assert kinds() == ["sign_in.succeeded"] * 4


@pytest.mark.parametrize("to", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", "/\\evil.test"])
def test_nobody_is_led_away(people, sign_in, to):
    assert sign_in("ana", to=to)[1]["Location"] == reverse("home")


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(people, sign_in, kinds, seen):
    pages = []
    for name in ("ana", "nobody", "ana@nowhere.test"):
        answer = sign_in(name, "wrong")[1]
        assert answer.status_code == 200
        words = re.sub(r'(value|nonce)="[^"]*"|"X-CSRFToken": "[^"]*"|\\u[0-9a-f]{4}', "", answer.content.decode())
        pages.append(words)
    assert pages[0] == pages[1] == pages[2]
    assert "do not belong together" in pages[0]
    assert kinds() == ["sign_in.failed"] * 3
    assert (seen[0].who, seen[0].address, seen[0].user_id) == ("ana", "127.0.0.1", people.owner.pk)
    assert (seen[1].who, seen[1].user_id) == ("nobody", None)


def test_every_mistake_costs_one_hash(people, sign_in, monkeypatch):
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed = []
    whole = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *args: hashed.append(1) or whole(self, *args))
    User.objects.filter(pk=people.owner.pk).update(email="ana@team.test")
    costs = []
    for name in ("nobody", "nobody@team.test", "ana", "ana@team.test"):
        hashed.clear()
        sign_in(name, "wrong")
        costs.append(len(hashed))
    assert costs == [1, 1, 1, 1]


def test_an_old_hash_becomes_argon2_at_the_next_sign_in(people, sign_in, settings):
    settings.PASSWORD_HASHERS = [OLD]
    people.owner.set_password("correct horse")
    people.owner.save()
    settings.PASSWORD_HASHERS = [ARGON, OLD]
    client, _ = sign_in("ana")
    people.owner.refresh_from_db()
    assert people.owner.password.startswith("argon2$argon2id$")
    assert client.get(reverse("web:today")).status_code == 200


def test_the_products_own_hashers_begin_with_argon2():
    """tests/settings.py has a fast one; the file the product reads has not."""
    from pathlib import Path

    import alwrity_scheduler.settings as product

    words = Path(product.__file__).read_text()
    assert re.search(r"PASSWORD_HASHERS = \[\s*\"[\w.]+\.Argon2PasswordHasher\"", words)


def test_guessing_locks_a_person_by_whichever_name_from_wherever(people, sign_in, outbox, kinds):
    User.objects.filter(pk=people.owner.pk).update(email="ana@team.test")
    for number in range(10):
        name = "ana" if number % 2 else "ana@team.test"
        assert sign_in(name, "wrong", REMOTE_ADDR=f"203.0.113.{number}")[1].status_code == 200
    for name in ("ana", "ana@team.test"):
        client, answer = sign_in(name, REMOTE_ADDR="198.51.100.7")
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 900
        assert "Wait 15 minutes" in answer.content.decode()
        assert client.get(reverse("web:today")).status_code == 302
    assert kinds().count("sign_in.locked") == 2
    assert [(one.to, "203.0.113" in one.body or "198.51.100.7" in one.body) for one in outbox()] == [
        (["ana@team.test"], True)
    ]
    # somebody else is not locked out with her
    assert sign_in("ben", REMOTE_ADDR="198.51.100.7")[1].status_code == 302


def test_a_name_that_is_nobodys_locks_like_one_that_is(people, sign_in, outbox):
    answers = [sign_in("ghost", "wrong", REMOTE_ADDR=f"203.0.113.{n}")[1].status_code for n in range(11)]
    assert answers == [200] * 10 + [429]
    assert outbox() == []


def test_one_address_may_not_try_everybody(people, sign_in):
    answers = [sign_in(f"name{n}", "wrong", REMOTE_ADDR="203.0.113.9")[1].status_code for n in range(31)]
    assert answers == [200] * 30 + [429]


def test_changing_the_password_ends_the_other_browsers_and_is_a_fact(people, sign_in, kinds):
    here, _ = sign_in("ana")
    there, _ = sign_in("ana")
    form = {"oldpassword": "correct horse", "password1": "a much better one", "password2": "a much better one"}
    answer = here.post(reverse("account_change_password"), form)
    assert answer["Location"] == reverse("web:settings_section", args=["security"])
    assert here.get(reverse("web:today")).status_code == 200
    assert there.get(reverse("web:today")).status_code == 302
    assert sign_in("ana")[1].status_code == 200
    fact = AuditLog.objects.get(action="person.password_changed")
    assert (fact.actor_label, fact.object_label, fact.after) == ("ana", "ana", {})
    assert "password.changed" in kinds()


def test_a_weak_password_is_refused_at_its_field(people, sign_in):
    here, _ = sign_in("ana")
    form = {"oldpassword": "correct horse", "password1": "short", "password2": "short"}
    answer = here.post(reverse("account_change_password"), form)
    assert "err_password1" in answer.content.decode()
    assert not AuditLog.objects.filter(action="person.password_changed").exists()


def test_a_reset_by_mail_leads_to_the_sites_own_address_and_works_once(people, client, sign_in, outbox, settings):
    settings.ALLOWED_HOSTS = ["*"]
    User.objects.filter(pk=people.owner.pk).update(email="ana@team.test")
    old, _ = sign_in("ana")
    answers = [
        client.post(reverse("account_reset_password"), {"email": email}, headers={"Host": "evil.test"})
        for email in ("ana@team.test", "nobody@team.test")
    ]
    assert [answer["Location"] for answer in answers] == [reverse("account_reset_password_done")] * 2
    (sent,) = outbox()
    link = re.search(r"https?://\S+", sent.body).group()
    assert sent.to == ["ana@team.test"]
    assert link.startswith(f"{settings.PUBLIC_URL}/account/password/reset/key/")
    path = link.removeprefix(settings.PUBLIC_URL)
    form_page = client.get(path)["Location"]
    new = {"password1": "a much better one", "password2": "a much better one"}
    assert client.post(form_page, new)["Location"] == reverse("account_reset_password_from_key_done")
    assert old.get(reverse("web:today")).status_code == 302
    assert sign_in("ana", "a much better one")[1].status_code == 302
    assert "used already" in Client().get(path).content.decode()


def test_without_a_mail_server_the_page_says_who_helps(client, db):
    assert "manage.py changepassword" in client.get(reverse("account_reset_password")).content.decode()
    assert (
        "manage.py changepassword"
        in client.post(reverse("account_reset_password"), {"email": "a@b.test"}).content.decode()
    )


def test_nobody_registers(client, db):
    form = {
        "username": "eve",
        "email": "eve@x.test",
        "password1": "a much better one",
        "password2": "a much better one",
    }
    assert "invited" in client.post(reverse("account_signup"), form).content.decode()
    assert not User.objects.filter(username="eve").exists()


def test_a_new_address_counts_once_its_link_was_opened(people, sign_in, outbox, settings):
    here, _ = sign_in("ana")
    here.post(reverse("account_email"), {"action_add": "", "email": "ana@new.test"})
    own = people.owner.emailaddress_set
    assert own.filter(email="ana@new.test", verified=False).exists()
    body = next(one.body for one in outbox() if one.to == ["ana@new.test"])
    path = re.search(r"https?://\S+", body).group().removeprefix(settings.PUBLIC_URL)
    assert not own.filter(verified=True).exists()
    here.post(path)
    assert own.filter(email="ana@new.test", verified=True).exists()
    assert AuditLog.objects.filter(action="person.address_confirmed", object_label="ana").count() == 1


def test_an_address_confirmed_by_one_is_not_given_to_another(people, now):
    services.confirm_address(person=people.owner, address="Ana@Team.test ", actor=ACTOR, now=now)
    services.confirm_address(person=people.author, address="ana@team.test", actor=ACTOR, now=now)
    rows = list(people.owner.emailaddress_set.values_list("email", "verified", "primary"))
    assert rows == [("ana@team.test", True, True)]
    assert not people.author.emailaddress_set.exists()


def test_the_addresses_of_before_still_lead_there(people, sign_in):
    client, _ = sign_in("ana")
    assert client.get("/password/")["Location"] == reverse("account_change_password")
    assert client.get("/admin/password_change/")["Location"] == reverse("account_change_password")
    assert client.get("/account/")["Location"] == reverse("web:settings_section", args=["security"])
    assert client.post("/logout/")["Location"] == reverse("login")
    assert client.get(reverse("web:today")).status_code == 302
    assert client.get("/account/login/?next=/app/")["Location"] == "/login/?next=/app/"
