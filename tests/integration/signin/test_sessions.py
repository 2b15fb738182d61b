"""Sessions: seen by the person, ended at once, and by themselves after SESSION_DAYS."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.urls import reverse

from alwrity_scheduler.core import clock

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"


def test_a_session_is_ended_at_once_by_its_person_only(people, sign_in, kinds):
    here, _ = sign_in("ana", HTTP_USER_AGENT=FIREFOX)
    there, _ = sign_in("ana", HTTP_USER_AGENT=IPHONE, REMOTE_ADDR="203.0.113.5")
    page = here.get(reverse("usersessions_list")).content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "203.0.113.5" in page
    assert page.index("this one") < page.index("Safari on iPhone")
    phone = UserSession.objects.get(ip="203.0.113.5")
    stranger, _ = sign_in("ben")
    assert stranger.post(reverse("end_session", args=[phone.pk])).status_code == 404
    assert there.get("/app/").status_code == 200
    here.post(reverse("end_session", args=[phone.pk]))
    assert there.get("/app/").status_code == 302
    assert here.get("/app/").status_code == 200
    assert kinds().count("session.revoked") == 1


def test_all_others_are_ended_together(people, sign_in):
    here, _ = sign_in("ana")
    others = [sign_in("ana")[0] for _ in range(3)]
    ben, _ = sign_in("ben")
    here.post(reverse("usersessions_list"))
    assert [client.get("/app/").status_code for client in (here, *others, ben)] == [200, 302, 302, 302, 200]


def test_ending_this_one_signs_out(people, sign_in):
    here, _ = sign_in("ana")
    answer = here.post(reverse("end_session", args=[UserSession.objects.get().pk]))
    assert answer["Location"] == reverse("login")
    assert here.get("/app/").status_code == 302


def test_a_session_ends_by_itself(people, sign_in, settings):
    here, answer = sign_in("ana")
    assert answer.cookies["sessionid"]["max-age"] == settings.SESSION_COOKIE_AGE == 14 * 86_400
    left = here.session.get_expiry_date() - clock.now()
    assert timedelta(days=13, hours=23) < left <= timedelta(days=14)


def test_when_it_was_seen_is_written_now_and_then(people, sign_in, django_assert_num_queries):
    here, _ = sign_in("ana")
    UserSession.objects.update(last_seen_at=clock.now() - timedelta(hours=3))
    here.get("/app/find/", REMOTE_ADDR="203.0.113.8")
    row = UserSession.objects.get()
    assert clock.now() - row.last_seen_at < timedelta(minutes=1)
    assert row.ip == "203.0.113.8"
    UserSession.objects.update(ip="192.0.2.1")
    here.get("/app/find/")
    assert UserSession.objects.get().ip == "192.0.2.1"
    cache.clear()
    here.get("/app/find/")
    assert UserSession.objects.get().ip == "127.0.0.1"
