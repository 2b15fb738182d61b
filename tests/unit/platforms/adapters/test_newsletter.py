"""The newsletter: what its mails hold, what a mail server's answers mean, and that nobody is sent it twice after any crash."""

from __future__ import annotations

import base64
import email
import socket
import ssl
import threading
import time
from dataclasses import replace
from datetime import timedelta
from email import policy
from pathlib import Path
from types import SimpleNamespace

import pytest

from alwrity_scheduler.core import clock, http
from platforms.adapters.newsletter import compose, journal, mail, recipients, sending
from platforms.adapters.newsletter.adapter import NewsletterAdapter
from platforms.adapters.newsletter.recipients import Recipient
from platforms.contracts import Accepted, AccountRef, MediaRef, Publication, Published
from platforms.errors import AuthFailed, PlatformError, Rejected, Unavailable, UnknownOutcome
from platforms.models import MailDelivery, Mailing
from tests.conftest import NOW
from tests.people import make_account
from tests.servers import real, smtp
from tests.servers.smtp_script import GREETING, TAKEN, Script

adapter = NewsletterAdapter()
OPTIONS = {
    "host": "smtp.test", "port": 587, "from_address": "news@example.com", "from_name": "Die Röster", "recipients": "ana@x.test",
    "unsubscribe": "https://example.com/leave?who={email}",
}  # fmt: skip


def a_post(key, account, **values):
    given = {"title": "Frisch geröstet ☕", "text": f"Hello **you** {key}", "scheduled_for": NOW}
    return Publication(key=key, account=account, **{**given, **values})


def an_account(**options):
    return AccountRef(
        id=1, public_id="a", platform="newsletter", name="News", handle="news", timezone="UTC",
        credentials={"password": "mailer-secret"}, options={**OPTIONS, **options},
    )  # fmt: skip


@pytest.fixture
def stage(workspace):
    """`stage(*answers)`: a scripted server, and an account without encryption that uses it."""
    made = []

    def build(*answers, to=("ana@x.test",)):
        server = Script(*answers)
        made.append(server)
        options = {**OPTIONS, "host": "127.0.0.1", "port": server.port, "security": "none", "recipients": "\n".join(to)}
        from platforms.services.publishing import account_ref

        row = make_account(workspace, NOW, platform="newsletter", name=f"N{len(made)}", options=options, credentials={})
        return server, account_ref(row)

    yield build
    for server in made:
        server.close()


def states(key):
    return dict(MailDelivery.objects.filter(mailing__key=key).order_by("id").values_list("address", "state"))


@pytest.fixture
def later(monkeypatch):
    """`later(minutes=5)`: it is so much later from now on."""
    shift = [timedelta()]
    real_now = clock.now

    def move(**parts):
        shift[0] += timedelta(**parts)

    monkeypatch.setattr(clock, "now", lambda: real_now() + shift[0])
    return move


@pytest.mark.django_db
class TestNobodyTwice:
    def test_all_recipients_get_one_mail_each_over_one_connection(self, stage):
        server, account = stage(*GREETING, *TAKEN, *TAKEN, to=("ana@x.test", "bo@x.test", "ANA@x.test"))
        published = adapter.publish(a_post("all", account), timeout=10)
        assert isinstance(published, Published)
        assert (published.notes, published.response["sent"], server.calls) == ((), 2, 1)
        assert [line for line in server.lines if "RCPT" in line] == ["RCPT TO:<ana@x.test>", "RCPT TO:<bo@x.test>"]

        again = adapter.publish(a_post("all", account), timeout=10)
        assert (again.already, again.remote_id) == (True, published.remote_id)
        assert len(server.mails) == 2

    def test_a_crash_with_the_mail_on_its_way_leaves_that_recipient_alone_for_ever(self, stage):
        server, account = stage(*GREETING, *TAKEN, to=("ana@x.test", "bo@x.test"))
        post = a_post("crash", account)
        mailing = journal.opened(
            account.id, "crash", compose.content_of(post), recipients.parsed("ana@x.test\nbo@x.test")[0], NOW
        )
        first = journal.waiting(mailing, NOW)[0]
        assert journal.claim(first, NOW)  # killed here: nobody knows whether the mail left

        found = adapter.find(post, timeout=10)
        assert isinstance(found, Accepted)
        done = adapter.poll(account, found.remote_state, timeout=10)
        assert [line for line in server.lines if "RCPT" in line] == ["RCPT TO:<bo@x.test>"]
        assert done.notes == (
            "Sent to 1 of 2.",
            "May or may not have it, and will not be sent it again: ana@x.test.",
        )

    def test_two_workers_never_send_to_the_same_recipient(self, stage):
        _, account = stage()
        mailing = journal.opened(account.id, "race", {}, [Recipient("ana@x.test")], NOW)
        row = journal.waiting(mailing, NOW)[0]
        assert [journal.claim(row, NOW), journal.claim(row, NOW)] == [True, False]
        journal.abandon(mailing, NOW)  # the other one finds it after a crash that was none
        assert not journal.claim(row, NOW)
        journal.settle(row, "sent", "250", NOW)  # the one who slept wakes up and tells how it went
        assert states("race") == {"ana@x.test": "sent"}
        journal.settle(row, "retry", "451", NOW)
        assert states("race") == {"ana@x.test": "sent"}

    def test_a_frozen_worker_that_wakes_too_late_sends_nothing(self, stage):
        server, account = stage(*GREETING, *TAKEN)
        with http.ended_by(time.monotonic() - 1), pytest.raises(Unavailable):
            adapter.publish(a_post("frozen", account), timeout=10)
        assert server.mails == []
        assert states("frozen") == {"ana@x.test": "pending"}

    @pytest.mark.parametrize(
        ("answers", "state"),
        [
            (("250 ok", "250 ok", "354 go", None), "unsure"),  # it had the whole mail
            (("250 ok", "250 ok", None), "pending"),  # DATA was never granted
            (("250 ok", "250 ok", "354 go", "451 later"), "pending"),
            (("250 ok", "250 ok", "354 go", "452 full"), "pending"),
            (("250 ok", "250 ok", "354 go", "554 spam"), "refused"),
            (("250 ok", "250 ok", "451 not now", "250 reset"), "pending"),
            (("250 ok", "250 ok", "554 no", "250 reset"), "refused"),
            (("250 ok", "450 greylisted", "250 reset"), "pending"),
            (("250 ok", "421 closing"), "pending"),
            (("250 ok", "550 no such user", "250 reset"), "refused"),
        ],
    )
    def test_what_an_answer_makes_of_a_recipient(self, stage, answers, state):
        _, account = stage(*GREETING, *TAKEN, *answers, to=("first@x.test", "ana@x.test"))
        result = adapter.publish(a_post("answer", account), timeout=10)
        assert states("answer") == {"first@x.test": "sent", "ana@x.test": state}
        assert isinstance(result, Accepted if state == "pending" else Published)
        assert (result.poll_after_seconds >= 59) if state == "pending" else result.notes[0] == "Sent to 1 of 2."
        assert journal.figures(Mailing.objects.get()).of("sending") == 0

    def test_who_was_asked_to_wait_is_sent_it_later_and_refused_in_the_end(self, stage, later):
        greylisted = ("250 ok", "450 4.7.1 Greylisted", "250 reset")
        server, account = stage(*GREETING, *greylisted, *GREETING, *greylisted, *GREETING, *TAKEN)
        result = adapter.publish(a_post("grey", account), timeout=10)
        pauses = []
        while isinstance(result, Accepted):
            pauses.append(round(result.poll_after_seconds / 60))
            early = adapter.poll(account, result.remote_state, timeout=10)  # too early: nobody is called
            assert isinstance(early, Accepted)
            later(seconds=result.poll_after_seconds + 1)
            result = adapter.poll(account, result.remote_state, timeout=10)
        assert (pauses, result.response["sent"], server.calls) == ([1, 2], 1, 3)

        row = MailDelivery.objects.get()
        MailDelivery.objects.update(state="pending", tries=journal.MOST_TRIES - 1)
        journal.settle(MailDelivery.objects.get(), "retry", "450 4.7.1 Greylisted", NOW)
        row.refresh_from_db()
        assert (row.state, row.reply) == ("refused", "Not taken after 7 tries: 450 4.7.1 Greylisted")

    def test_an_outcome_that_nobody_knows_stays_unknown_and_is_not_sent_again(self, stage):
        server, account = stage(*GREETING, "250 ok", "250 ok", "354 go", None, *GREETING, *TAKEN)
        post = a_post("alone", account)
        for call in (adapter.publish, adapter.find, adapter.publish):
            with pytest.raises(UnknownOutcome, match="not sent again"):
                call(post, timeout=10)
        assert (server.calls, len(server.mails)) == (1, 1)

    def test_a_server_that_goes_away_in_the_middle_is_tried_again_and_given_up(self, stage):
        server, account = stage(*GREETING, *TAKEN, None, to=("ana@x.test", "bo@x.test"))
        result = adapter.publish(a_post("gone", account), timeout=10)
        server.join(2)
        server.close()
        pauses = []
        while isinstance(result, Accepted):
            pauses.append(result.poll_after_seconds)
            result = adapter.poll(account, result.remote_state, timeout=10)
        assert pauses[:4] == [1.0, 15.0, 30.0, 60.0]
        assert len(pauses) == sending.MOST_MISSES
        assert result.notes[0] == "Sent to 1 of 2."
        assert result.notes[1].startswith(
            "Refused: bo@x.test (Given up after 14 calls: Nothing was sent. No connection"
        )

    def test_a_long_list_goes_on_in_the_next_call(self, stage, monkeypatch):
        to = ("ana@x.test", "bo@x.test", "cy@x.test")
        server, account = stage(*GREETING, *TAKEN, *GREETING, *TAKEN, *GREETING, *TAKEN, to=to)
        monkeypatch.setattr(sending, "SECONDS_FOR_A_MAIL", 60.0)  # no time for a second one
        result = adapter.publish(a_post("long", account), timeout=10)
        polls = 0
        while isinstance(result, Accepted):
            polls += 1
            result = adapter.poll(account, result.remote_state, timeout=10)
        assert (polls, server.calls, result.response) == (2, 3, {"sent": 3, "refused": 0, "unsure": 0})

    def test_what_kept_it_from_everybody_is_raised_and_can_be_tried_again(self, stage):
        _, account = stage(
            *GREETING, "550 5.7.1 not you", *GREETING, "250 ok", "550 no such user", "250 reset", *GREETING, *TAKEN
        )  # fmt: skip
        with pytest.raises(Rejected, match="this sender"):
            adapter.publish(a_post("again", account), timeout=10)
        with pytest.raises(Rejected, match="every recipient") as caught:
            adapter.publish(a_post("again", account), timeout=10)
        assert caught.value.platform_message == "550 no such user"
        assert adapter.find(a_post("again", account), timeout=10) is None
        # a person corrects the list; nobody had it, so the same post may go to the new one
        account = replace(account, options={**account.options, "recipients": "bo@x.test"})
        assert adapter.publish(a_post("again", account), timeout=10).response["sent"] == 1
        assert states("again") == {"bo@x.test": "sent"}

    def test_a_mail_larger_than_the_server_takes_is_not_begun(self, stage):
        server, account = stage("220 hello", "250-hi\r\n250 SIZE 1000")
        with pytest.raises(Rejected, match=r"the mail server takes 0\.0 MB"):
            adapter.publish(a_post("big", account, text="word " * 1000), timeout=10)
        assert server.mails == []

    def test_the_content_is_kept_only_as_long_as_somebody_waits_for_it(self, stage):
        _, account = stage(*GREETING, *TAKEN, None, to=("ana@x.test", "bo@x.test"))
        adapter.publish(a_post("kept", account), timeout=10)
        assert Mailing.objects.get().content["subject"] == "Frisch geröstet ☕"
        journal.refuse_rest(Mailing.objects.get(), "550", NOW)
        adapter.find(a_post("kept", account), timeout=10)
        assert Mailing.objects.get().content == {}

    def test_a_journal_that_is_gone_leaves_the_outcome_unknown(self, stage):
        _, account = stage()
        with pytest.raises(UnknownOutcome):
            adapter.poll(account, {"key": "never"}, timeout=10)
        assert adapter.find(a_post("never", account), timeout=10) is None

    @pytest.mark.parametrize(
        ("answers", "error", "words"),
        [
            (("554 blocked",), Unavailable, "554 blocked"),
            (("220 hi", "502 what"), Unavailable, "502 what"),
            (("220 hi", None), Unavailable, ""),
            (("nonsense",), Unavailable, ""),
            ((*GREETING, "451 busy"), Unavailable, "451 busy"),
            ((*GREETING, "530 sign in"), AuthFailed, "530 sign in"),
            ((*GREETING, "552 too large"), Rejected, "552 too large"),
        ],
    )
    def test_what_a_server_says_before_any_mail(self, stage, answers, error, words):
        _, account = stage(*answers)
        with pytest.raises(error) as caught:
            adapter.publish(a_post("early", account), timeout=10)
        assert caught.value.platform_message == words

    def test_how_many_got_it_is_a_figure(self, stage):
        _, account = stage(*GREETING, *TAKEN)
        published = adapter.publish(a_post("figure", account), timeout=10)
        found = adapter.metrics(account, [published.remote_id, "nonsense"], timeout=10)
        assert [(item.remote_id, dict(item.values)) for item in found] == [(published.remote_id, {"recipients": 1})]


@pytest.mark.xdist_group(smtp.GROUP)
@pytest.mark.skipif(bool(real.missing("smtp_aiosmtpd")), reason=real.missing("smtp_aiosmtpd"))
@pytest.mark.django_db
class TestOnTheServer:
    @pytest.fixture
    def server(self, settings):
        return smtp.running()

    def account(self, server, workspace, *to, **options):
        from platforms.services.publishing import account_ref

        row = make_account(
            workspace,
            NOW,
            platform="newsletter",
            options=server.options(*to, **options),
            credentials=server.credentials,
        )
        return account_ref(row)

    def test_each_recipient_has_its_own_fate(self, server, workspace, later):
        names = ("one", "tempfail", "reject", "hangup", "greylist", "datafail", "two")
        account = self.account(server, workspace, *(f"{name}@example.com" for name in names))
        result = adapter.publish(a_post("fates", account), timeout=10)
        polls = 0
        while isinstance(result, Accepted):
            polls += 1
            later(seconds=result.poll_after_seconds + 1)
            result = adapter.poll(account, result.remote_state, timeout=10)
        assert result.notes[0] == "Sent to 3 of 7."
        assert "reject@example.com (550 5.1.1 No such user)" in result.notes[1]
        assert "tempfail@example.com (Not taken after 7 tries: 451 4.3.0 Try again later)" in result.notes[1]
        assert result.notes[2].endswith("hangup@example.com.")
        # hangup has it, though nobody was told: once
        assert server.reached("fates") == [f"{name}@example.com" for name in ("greylist", "hangup", "one", "two")]

    def test_the_mail_is_whole(self, server, workspace, picture, tmp_path):
        pdf = tmp_path / "menu.pdf"
        pdf.write_bytes(b"%PDF-1.4 menu")
        paper = MediaRef(
            url="https://here.test/m",
            mime="application/pdf",
            alt="",
            size=13,
            checksum="p",
            path=str(pdf),
            name="menu.pdf",
        )
        options = {"footer": "Die Röster\nHafen 1", "reply_to": "hi@example.com"}
        post = a_post(
            "whole",
            self.account(server, workspace, "Ana Müller <ana@example.com>", **options),
            media=(picture("red"), paper, picture("blue")),
            link="https://shop.test/?a=1&b=2",
            options={"preheader": "Neu da"},
            text="# Hallo\n\n.a line with a dot\n\n![rot](media:1) whole",
        )
        adapter.publish(post, timeout=10)

        (found,) = server.mails("whole")
        assert (found["From"], found["To"]) == ("Die Röster <news@example.com>", "Ana Müller <ana@example.com>")
        assert (found["Subject"], found["Reply-To"]) == ("Frisch geröstet ☕", "hi@example.com")
        assert found["Date"].datetime == NOW
        assert found["List-Id"] == "<news.example.com>"
        assert found["List-Unsubscribe"] == "<https://example.com/leave?who=ana%40example.com>"
        assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert found["Message-ID"] == compose.message_id(compose.content_of(post), Recipient("ana@example.com"))
        assert smtp.plain(found) == (
            "Hallo\n\n.a line with a dot\n\n[rot] whole\n\n[A blue box]\n\nhttps://shop.test/?a=1&b=2\n\n-- \nDie Röster\nHafen 1\n"
            "Unsubscribe: https://example.com/leave?who=ana%40example.com\n"
        )
        shown = found.get_body(("html",)).get_content()
        files = {part["Content-ID"]: part for part in found.walk() if part["Content-ID"]}
        assert len(files) == 2
        assert all(f'src="cid:{name.strip("<>")}"' in shown for name in files)
        assert next(iter(files.values())).get_content() == Path(post.media[0].path).read_bytes()
        assert [part.get_filename() for part in found.iter_attachments()] == ["menu.pdf"]
        assert "Neu da" in shown
        assert 'href="https://example.com/leave?who=ana%40example.com">Unsubscribe' in shown

    def test_a_connection_test_signs_in(self, server, workspace):
        account = self.account(server, workspace, "ana@example.com", "bo@example.com")
        health = adapter.verify(account, timeout=5)
        assert (health.ok, health.message) == (True, "127.0.0.1 takes mail from mailer; 2 recipients.")
        wrong = replace(account, credentials={"password": "not-the-password"})
        health = adapter.verify(wrong, timeout=5)
        assert not health.ok
        assert "535" in health.message
        stranger = replace(account, options={**account.options, "ca_certificate": ""})
        assert "not trusted" in adapter.verify(stranger, timeout=5).message

    def test_private_addresses_are_not_called_unless_they_are_named(self, server, workspace, settings):
        settings.OUTBOUND_ALLOW = []
        account = self.account(server, workspace)
        with pytest.raises(Rejected, match="OUTBOUND_ALLOW"):
            adapter.publish(a_post("private", account), timeout=5)
        settings.OUTBOUND_ALLOW = ["localhost"]
        with pytest.raises(Rejected, match="OUTBOUND_ALLOW"):
            adapter.publish(a_post("private", account), timeout=5)


def test_a_drip_of_bytes_does_not_stretch_a_calls_time():
    ours, theirs = socket.socketpair()
    session = mail.Session(ours, mail.Server(host="x", port=1), time.monotonic() + 0.2)
    dripping = threading.Event()

    def drip():
        while not dripping.wait(0.02):
            try:
                theirs.send(b"2")
            except OSError:
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    with pytest.raises(Unavailable, match="did not finish"):
        session.begin()
    assert session.is_broken
    dripping.set()
    thread.join()
    session.close()
    theirs.close()


def test_a_name_that_is_not_resolved_in_time_is_not_waited_for(monkeypatch):
    never = threading.Event()

    def slow(*_, **__):
        never.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(Unavailable, match="not resolved in time"):
        mail.opened(mail.Server(host="slow.test", port=25), time.monotonic() + 0.05)
    never.set()


def test_words_put_in_front_of_the_encryption_are_noticed(monkeypatch):
    server = Script("220 hi", "250-x\r\n250 STARTTLS", "220 go\r\n250 injected")
    with pytest.raises(PlatformError, match="before STARTTLS"):
        mail.opened(mail.Server(host="127.0.0.1", port=server.port, allow=("127.0.0.1",)), time.monotonic() + 5)
    server.close()


def test_encryption_that_is_not_offered_is_not_done_without():
    server = Script("220 hi", "250 AUTH PLAIN")
    wanted = mail.Server(host="127.0.0.1", port=server.port, allow=("127.0.0.1",), username="a", password="secret-word")
    with pytest.raises(AuthFailed, match="STARTTLS") as caught:
        mail.opened(wanted, time.monotonic() + 5)
    assert not [line for line in server.lines if "AUTH" in line]
    assert "secret-word" not in repr(wanted) + repr(caught.value) + str(vars(caught.value))
    server.close()


def test_the_older_sign_in_is_spoken_too():
    server = Script("220 hi", "250-hi\r\n250 AUTH LOGIN", "334 dXNlcg==", "334 cGFzcw==", "235 ok")
    wanted = mail.Server(
        host="127.0.0.1", port=server.port, allow=("127.0.0.1",), security="none", username="me", password="pw"
    )
    mail.opened(wanted, time.monotonic() + 5).close()
    assert [base64.b64decode(line).decode() for line in server.lines[2:4]] == ["me", "pw"]
    server.close()


def test_message_ids_follow_from_key_and_recipient():
    content = compose.content_of(a_post("id", an_account()))
    same = compose.message_id(content, Recipient("Ana@x.test"))
    assert same == compose.message_id(content, Recipient("ana@x.test", "Ana"))
    other = compose.message_id(compose.content_of(a_post("id2", an_account())), Recipient("ana@x.test"))
    assert len({same, other, compose.message_id(content, Recipient("bo@x.test"))}) == 3
    assert same.endswith("@example.com>")


def test_nothing_in_a_post_becomes_a_header_of_its_own():
    account = an_account(from_name="News\r\nBcc: spy@x.test")
    post = a_post("inject", account, title="Hi\r\nBcc: spy@x.test", options={"preheader": "a\nb"})
    raw = compose.message(compose.content_of(post), Recipient("ana@x.test", "A\nBcc: spy@x.test".replace("\n", " ")))
    found = email.message_from_bytes(raw, policy=policy.default)
    assert found["Bcc"] is None
    assert found["Subject"] == "Hi Bcc: spy@x.test"
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("unsubscribe", "header", "one_click"),
    [
        ("https://x.test/u?e={email}", "<https://x.test/u?e=a%2Bb%40x.test>", True),
        ("mailto:leave@x.test", "<mailto:leave@x.test?subject=unsubscribe>", False),
        ("leave@x.test", "<mailto:leave@x.test?subject=unsubscribe>", False),
    ],
)
def test_everybody_can_leave(unsubscribe, header, one_click):
    content = compose.content_of(a_post("leave", an_account(unsubscribe=unsubscribe)))
    found = email.message_from_bytes(compose.message(content, Recipient("a+b@x.test")), policy=policy.default)
    assert found["List-Unsubscribe"] == header
    assert (found["List-Unsubscribe-Post"] is not None) == one_click


def test_pictures_may_be_linked(picture):
    post = a_post("linked", an_account(images="linked"), media=(picture("red"),))
    content = compose.content_of(post)
    assert content["files"] == []
    assert 'src="https://here.test/red"' in content["html"]


@pytest.mark.parametrize(
    ("line", "address", "name"),
    [
        ("ana@x.org", "ana@x.org", ""),
        ("Ana Müller <ana@X.org>", "ana@x.org", "Ana Müller"),
        ("ana@x.org, Ana", "ana@x.org", "Ana"),
        ('"Müller, Ana" <ana+news@x.org>', "ana+news@x.org", "Müller, Ana"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example", ""),
        ("ana@localhost", "ana@localhost", ""),
    ],
)
def test_recipients_are_read(line, address, name):
    assert recipients.parsed(f"# list\n\n{line}\n") == ([Recipient(address, name)], [])


@pytest.mark.parametrize(
    "line", ["ana", "ana@", "@x.org", "a b@x.org", "a@x..org", "a@-x.org", "ü@x.org", "a@x.org>\rRCPT", "a..b@x.org"]
)
def test_what_is_no_address_is_named(line):
    assert recipients.parsed(line)[0] == []
    assert "Not an address" in recipients.problem_of(line)


@pytest.mark.parametrize(
    ("options", "credentials", "field"),
    [
        ({}, {}, None),
        ({"host": "https://smtp.test"}, {}, "host"),
        ({"host": ""}, {}, "host"),
        ({"port": 70000}, {}, "port"),
        ({"security": "ssl"}, {}, "security"),
        ({"username": "me"}, {}, "password"),
        ({"username": "me", "security": "none"}, {"password": "x"}, "security"),
        ({"from_address": "News <a@b.test>"}, {}, "from_address"),
        ({"reply_to": "nobody"}, {}, "reply_to"),
        ({"recipients": ""}, {}, "recipients"),
        ({"recipients": "ana\n"}, {}, "recipients"),
        ({"unsubscribe": "http://x.test"}, {}, "unsubscribe"),
        ({"unsubscribe": ""}, {}, "unsubscribe"),
        ({"ca_certificate": "-----BEGIN CERTIFICATE-----\nx"}, {}, "ca_certificate"),
    ],
)
def test_settings_are_checked_at_their_field(options, credentials, field):
    assert [name for name, _ in adapter.check_settings({**OPTIONS, **options}, credentials)] == (
        [field] if field else []
    )


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({}, []),
        ({"title": ""}, ["subject_missing"]),
        ({"title": "", "options": {"subject": "Hi"}}, []),
        ({"options": {"subject": "x" * 251}}, ["subject_too_long"]),
        ({"media": [SimpleNamespace(size=4 * 2**20), SimpleNamespace(size=4 * 2**20)]}, ["media_too_large"]),
        ({"options": {"recipients": "nobody"}}, ["recipients"]),
        ({"hashtags": ("a",)}, ["hashtags_left_out"]),
    ],
)
def test_a_newsletter_is_checked(values, codes):
    post = a_post("k", an_account(), **values)
    assert [found.code for found in adapter.check(post, post.account)] == codes


def test_an_authority_that_is_none_is_an_error():
    with pytest.raises((ssl.SSLError, ValueError)):
        mail.context_of("nonsense")
