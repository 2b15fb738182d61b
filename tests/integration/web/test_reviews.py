"""The pages of approval: what waits, the verbs on a post, the page of somebody from outside, and the rules."""

from __future__ import annotations

import socket

import pytest
from aiosmtpd.controller import Controller
from django.contrib.messages import get_messages
from django.core import mail
from django.urls import reverse

from platforms.models import PlatformAccount
from schedules.models import Review, ReviewLink, ReviewPolicy, Schedule
from schedules.services import approval, approval_mail
from tests.conftest import NOW
from tests.people import ACTOR, make_schedule


def said(response):
    return [str(item) for item in get_messages(response.wsgi_request)]


def verb(client, row, name, **values):
    return client.post(reverse("web:review_act", args=[row.public_id, name]), values)


@pytest.fixture
def draft(team):
    approval.set_policy(
        workspace=team.workspace, account=None, required=True, allow_own=False, reviewers=[], remind_after_hours=24,
        actor=ACTOR, now=NOW,
    )  # fmt: skip
    return team.draft


@pytest.fixture
def asked(author, draft):
    verb(author, draft, "submit", comment="For Friday.")
    return draft


def test_a_draft_that_needs_approval_offers_asking_and_not_scheduling(author, draft):
    body = author.get(reverse("web:schedule", args=[draft.public_id])).content.decode()
    assert "Send for approval" in body
    assert reverse("web:schedule_act", args=[draft.public_id, "activate"]) not in body
    assert 'data-open="publish-now"' not in body


def test_from_asking_to_approved(author, owner, asked):
    assert Schedule.objects.get(pk=asked.pk).state == "in_review"
    mine = owner.get(reverse("web:reviews")).content.decode()
    assert "Waiting for you" in mine
    assert str(asked) in mine
    assert "<title>Review" in mine
    others = author.get(reverse("web:reviews")).content.decode()
    assert "Nobody approves their own post here." in others
    page = owner.get(reverse("web:schedule", args=[asked.public_id])).content.decode()
    assert "For Friday." in page
    assert " style=" not in page

    answer = verb(owner, asked, "approve", comment="Good.")

    assert said(answer) == [f"Approved “{asked}”."]
    assert Schedule.objects.get(pk=asked.pk).state == "active"
    assert "Nothing waits for your approval." in owner.get(reverse("web:reviews")).content.decode()


def test_the_author_is_refused_in_words(author, asked):
    assert "Nobody approves their own post" in said(verb(author, asked, "approve"))[-1]
    assert Review.objects.get().state == "waiting"


def test_changes_without_words_are_refused_and_with_words_go_back(owner, asked):
    assert said(verb(owner, asked, "request-changes")) == ["Say what should change."]
    verb(owner, asked, "request-changes", comment="The price.")
    assert Schedule.objects.get(pk=asked.pk).state == "draft"


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404)])
def test_who_may_not_ask(who, status, request, draft):
    assert verb(request.getfixturevalue(who), draft, "submit").status_code == status


@pytest.fixture
def address(author, asked):
    author.post(reverse("web:review_link", args=[asked.public_id]), {"label": "Jo", "days": 7, "may_decide": "on"})
    link = ReviewLink.objects.get()
    return reverse("outside_review", args=[approval.token_of(link)])


def test_somebody_from_outside_sees_the_post_and_approves_it(client, author, asked, address):
    shown = author.get(reverse("web:schedule", args=[asked.public_id])).content.decode()
    named, _, _ = address.partition(":")  # what follows is the time of signing, to the second, and the signature
    assert f"http://127.0.0.1:8000{named}:" in shown
    page = client.get(address)
    body = page.content.decode()
    assert "Not yet" in body
    assert "asks what you think" in body
    assert "Good morning" not in body  # another post of the workspace
    assert "30 Nov, 09:00 CET" in body.partition("this link works until")[2]  # on the team's clocks
    assert (page["Referrer-Policy"], page["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert "no-store" in page["Cache-Control"]
    assert ReviewLink.objects.get().opened_at == NOW

    client.post(address, {"verb": "approve", "comment": "Fine with us"})

    assert Schedule.objects.get(pk=asked.pk).state == "active"
    assert Review.objects.get().decided_label == "Jo (outside)"
    assert "It has been answered" in client.get(address).content.decode()


def test_an_outsiders_empty_wish_is_told_at_the_field_and_a_dead_link_says_so(client, author, asked, address):
    answer = client.post(address, {"verb": "request-changes", "comment": ""})
    assert answer.status_code == 422
    assert "Say what should change." in answer.content.decode()
    author.post(reverse("web:review_link_revoke", args=[ReviewLink.objects.get().public_id]))
    assert client.get(address).status_code == 404
    assert client.post(address, {"verb": "approve"}).status_code == 404
    assert Review.objects.get().state == "waiting"


def test_a_viewer_is_not_shown_the_key(viewer, asked, address):
    assert address not in viewer.get(reverse("web:schedule", args=[asked.public_id])).content.decode()


def test_rules_are_kept_for_the_workspace_and_for_an_account(owner, author, team):
    page = reverse("web:review_policies")
    assert author.get(page).status_code == 403
    owner.post(page, {"required": "on", "reviewers": [str(team.people.author.pk)], "remind_after_hours": "5"})
    rule = ReviewPolicy.objects.get(account=None)
    assert (rule.required, rule.allow_own, rule.remind_after_hours) == (True, False, 5)
    assert [person.username for person in rule.reviewers.all()] == ["ben"]

    account = PlatformAccount.objects.get()
    owner.post(page, {"account": str(account.public_id), "allow_own": "on", "remind_after_hours": ""})
    assert not ReviewPolicy.objects.get(account=account).required
    owner.post(page, {"account": str(account.public_id), "action": "follow"})
    assert not ReviewPolicy.objects.filter(account=account).exists()

    wrong = owner.post(page, {"required": "on", "remind_after_hours": "0"})
    assert wrong.status_code == 422
    assert "greater than or equal to 1" in wrong.content.decode()


def test_reviewers_and_then_the_author_are_written_to(settings, owner, author, team, draft):
    settings.EMAIL_READY, settings.EMAIL_TIMEOUT = True, 10
    for person in (team.people.owner, team.people.author):
        person.email = f"{person.username}@example.org"
        person.save()
    verb(author, draft, "submit")
    assert approval_mail.send_due(now=NOW) == "1 mails sent"
    assert approval_mail.send_due(now=NOW) == "0 mails sent"
    verb(owner, draft, "approve", comment="Nice one")
    approval_mail.send_due(now=NOW)

    request, answer = mail.outbox
    assert request.to == ["ana@example.org"]
    assert f"http://127.0.0.1:8000/app/schedules/{draft.public_id}/" in request.body
    assert answer.to == ["ben@example.org"]
    assert "is approved" in answer.subject
    assert "Nice one" in answer.body


def test_the_page_named_in_mails_is_the_schedules():
    some = "0190b7a0-0000-7000-8000-000000000000"
    assert reverse("web:schedule", args=[some]) == approval_mail.SCHEDULE_PAGE % some


class Postbox:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


def test_mails_leave_through_a_real_smtp_server_and_a_dead_one_stops_nothing(settings, author, team, draft):
    box = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_READY, settings.EMAIL_BACKEND = True, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    team.people.owner.email = "ana@example.org"
    team.people.owner.save()
    verb(author, draft, "submit")
    try:
        assert approval_mail.send_due(now=NOW) == "1 mails sent"
    finally:
        server.stop()
    ((to, content),) = box.mails
    assert to == ["ana@example.org"]
    assert "waits for your approval" in content.replace("=\r\n", "") or "=?utf-8?" in content

    verb(author, draft, "withdraw")
    verb(author, draft, "submit")
    assert approval_mail.send_due(now=NOW) == "0 mails sent"
    assert Review.objects.filter(state="waiting", notices=1).exists()


def test_the_rail_counts_what_waits_for_the_reader(owner, author, team, asked):
    make_schedule(team.workspace, [team.account], NOW, state="draft")
    assert 'href="/app/review/"' in owner.get("/app/").content.decode()
    counted = [
        owner.get("/app/").context["shell"].reviews_waiting,
        author.get("/app/").context["shell"].reviews_waiting,
    ]
    assert counted == [1, 0]
