"""Languages: whose wins, how dates and numbers are written, that machines still read numbers, and what programs get."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from alwrity_scheduler.workspaces import wishes
from alwrity_scheduler.workspaces.models import User
from schedules.domain.states import JobState
from schedules.web import catalogue, locale
from schedules.web.templatetags import ui
from tests.conftest import NOW
from tests.people import make_schedule

OTHERS = [code for code, _name in settings.LANGUAGES if code != "en"]


def language_of(response):
    return re.search(r'<html lang="([\w-]+)" dir="(\w+)"', response.content.decode()).groups()


def test_the_persons_language_wins_over_the_browsers(viewer, team):
    french = {"Accept-Language": "fr"}
    assert language_of(viewer.get(reverse("web:jobs"), headers=french)) == ("fr", "ltr")
    type(team.people.viewer).objects.update(language="ar")
    answer = viewer.get(reverse("web:jobs"), headers=french)

    assert language_of(answer) == ("ar", "rtl")
    assert answer["Content-Language"] == "ar"
    assert "Accept-Language" in answer["Vary"]
    assert language_of(viewer.get(reverse("web:jobs"), headers={"Accept-Language": "tlh"})) == ("ar", "rtl")


def test_who_is_not_signed_in_chooses_on_the_page(db):
    client = Client()
    assert language_of(client.get(reverse("login"), headers={"Accept-Language": "hi"})) == ("hi", "ltr")
    client.post(reverse("set_language"), {"language": "ja", "next": reverse("login")})
    page = client.get(reverse("login"), headers={"Accept-Language": "hi"})

    assert language_of(page) == ("ja", "ltr")
    assert '<option value="ja" lang="ja" selected>' in page.content.decode()
    assert f'name="next" value="{reverse("login")}"' in page.content.decode().split('class="language"')[1]


def test_programs_get_english_whoever_asks(viewer, team):
    type(team.people.viewer).objects.update(language="de")
    answer = viewer.get("/api/v1/schedules/00000000-0000-0000-0000-000000000000/", headers={"Accept-Language": "fr"})

    assert answer.status_code == 404
    assert answer["Content-Language"] == "en"


@pytest.mark.parametrize("language", ["de", "ar", "hi"])
def test_what_machines_read_does_not_depend_on_the_language(owner, team, language):
    """Addresses, values and drawings of the main pages have no localised number and no translated value in them."""
    type(team.people.owner).objects.update(language=language)
    for address in (
        reverse("web:today"),
        reverse("web:schedules"),
        reverse("web:schedule_edit", args=[team.daily.public_id]),
        reverse("web:job", args=[team.jobs[0].public_id]),
        reverse("web:account", args=[team.account.public_id]),
    ):
        body = owner.get(address).content.decode()
        values = re.findall(r'\s(?:href|action|value|max|min|step|datetime|x|y|width|height|d)="([^"]*)"', body)
        assert not [value for value in values if re.search(r"\d[٠-٩०-९]|[٠-٩०-९]|(?<![\w,-])\d+,\d+(?![\w,])", value)]
        assert 'dir="rtl"' in body or language != "ar"


MOMENT = datetime(NOW.year, 11, 24, 15, 5)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Tue 24 Nov 15:05"),
        ("de", "Di, 24. Nov 15:05"),
        ("fr", "mar 24 nov 15:05"),
        ("es", "mar, 24 nov 15:05"),
        ("pt-br", "Ter, 24 de nov 15:05"),
        ("ja", "11月24日(火) 15:05"),
    ],
)
def test_days_and_times_are_written_as_the_language_does(language, words):
    with translation.override(language):
        assert f"{locale.short_day(MOMENT)} {locale.clock(MOMENT)}" == words


def test_a_persons_wish_goes_before_the_languages():
    class Person:
        hour_cycle, week_start = "h12", 6

    with translation.override("en"):
        assert [locale.clock(MOMENT.replace(hour=hour)) for hour in (0, 9, 12, 23)] == [
            "00:05",
            "09:05",
            "12:05",
            "23:05",
        ]
        assert (locale.first_weekday(), locale.weekdays()[0]) == (0, (0, "Monday"))
        with wishes.override(Person()):
            assert [locale.clock(MOMENT.replace(hour=hour)) for hour in (0, 9, 12, 23)] == [
                "12:05 AM", "9:05 AM", "12:05 PM", "11:05 PM",
            ]  # fmt: skip
            assert locale.weekdays()[0] == (6, "Sunday")
    with translation.override("ar"):
        assert (locale.first_weekday(), locale.hour_cycle()) == (5, "h12")
        assert locale.first_weekday(Person()) == 6


def test_numbers_are_grouped_as_the_language_does():
    told = {}
    for language in ("en", "de", "hi"):
        with translation.override(language):
            told[language] = (locale.number(1234567), ui.duration(0.8), ui.duration(1.5))
    assert told["en"] == ("1,234,567", "800 ms", "1.5 s")
    assert told["de"][0] == "1.234.567"
    assert told["de"][2].startswith("1,5")
    assert told["hi"][0] == "12,34,567"


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_the_scripts_words_are_one_cacheable_file_a_language(db, language):
    client = Client()
    with translation.override(language):
        address = catalogue.address()
    answer = client.get(address)

    assert answer["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer["Cache-Control"]
    assert "django.gettext" in answer.content.decode()
    assert client.get(address.replace(".js", "0.js")).status_code == 404
    assert client.get(reverse("web:jsi18n", args=["tlh", "0"])).status_code == 404


def test_every_language_stands_in_its_own_words(owner):
    body = owner.get(reverse("web:settings_section", args=["language"])).content.decode()
    assert all(name in body for _code, name in settings.LANGUAGES)


def test_the_domain_speaks_the_readers_language():
    with translation.override("de"):
        words = JobState.CANCELLED.label
        assert words == translation.gettext("Cancelled")
    assert JobState.CANCELLED.label == "Cancelled"


def test_every_page_of_times_keeps_the_persons_hours_and_weeks(owner, team):
    """One person who counts to twelve and begins on Sunday, on all pages that draw hours and weeks by themselves."""
    for _two in range(2):
        make_schedule(team.workspace, [team.account], NOW, start_local=datetime(2026, 11, 25, 13, 30))
    User.objects.filter(pk=team.people.owner.pk).update(hour_cycle="h12", week_start=6)
    day = "date=2026-11-25"

    month = owner.get(f"{reverse('web:calendar')}?view=month&{day}").content.decode()
    assert "<b>2:30 PM</b>" in month
    assert month.index(">Sun</abbr>") < month.index(">Mon</abbr>")
    week = owner.get(f"{reverse('web:calendar')}?view=week&{day}&hours=all").content.decode()
    assert ">2:00 PM</th>" in week
    assert "22 Nov – 28 Nov 2026" in week
    assert "New post, 25 Nov, 2:00 PM" in week
    timeline = owner.get(f"{reverse('web:timeline')}?zoom=day&{day}").content.decode()
    assert ">2:00 PM</div>" in timeline
    assert "<b>2:30 PM</b>" in timeline
    assert 'data-start="2026-11-22T00:00"' in owner.get(f"{reverse('web:timeline')}?zoom=week&{day}").content.decode()
    [key, _other] = re.findall(r'data-ev="([^"]+)" data-at="2026-11-25T14:30"', month)
    peek = owner.get(reverse("web:event", args=[key])).content.decode()
    assert "at 2:30 PM." in peek
    composer = owner.get(reverse("web:schedule_new")).content.decode()
    assert composer.index('name="weekdays" value="SU"') < composer.index('name="weekdays" value="MO"')
    times = owner.get(reverse("web:account_times", args=[team.account.public_id])).content.decode()
    assert times.index('name="day-6"') < times.index('name="day-0"')
    for page in (month, week, timeline):
        assert not re.search(r">\s*(1[3-9]|2[0-3]):\d\d", page)
