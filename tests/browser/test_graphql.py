"""The page on which GraphQL is tried out: by mouse and by keys, with what is wrong said at its field."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from schedules.models import Schedule

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_question_is_asked_and_a_verb_is_done_from_the_page(open_browser, team):
    page = open_browser(team.people.owner)
    page.goto(reverse("graphql:endpoint"))
    answer, note = page.locator("#gql-answer"), page.locator("#gql-note")
    expect(page.locator("#gql-empty")).to_be_visible()
    page.get_by_role("button", name="Run").click()
    expect(answer).to_contain_text('"name": "Newsroom"')
    expect(note).to_contain_text("status 200")

    page.get_by_label("Variables").fill("[1]")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_label("Variables")).to_be_focused()
    expect(note).to_contain_text("not JSON")

    page.get_by_label("Query").fill("mutation($id: ID!) { pauseSchedule(id: $id) { state } }")
    page.get_by_label("Variables").fill(f'{{"id": "{team.daily.public_id}"}}')
    page.keyboard.press("Control+Enter")
    expect(answer).to_contain_text('"state": "paused"')
    assert Schedule.objects.get(pk=team.daily.pk).state == "paused"
