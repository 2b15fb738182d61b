"""`send`, `find` and `poll`: no database, five classes and nothing else."""

from __future__ import annotations

import logging

import pytest

from platforms.contracts import AccountRef, Publication
from platforms.errors import AdapterMissing, AuthFailed, Rejected, UnknownOutcome
from platforms.registry import adapters
from platforms.services import publishing
from tests.conftest import NOW


class Odd:
    key = "odd"

    def __init__(self, error):
        self.error = error

    def publish(self, publication, *, timeout):
        raise self.error

    find = publish

    def poll(self, account, remote_state, *, timeout):
        raise self.error


@pytest.fixture
def publication(monkeypatch):
    def make(error):
        monkeypatch.setattr(adapters, "_entries", {"odd": Odd(error)})
        account = AccountRef(
            id=1,
            public_id="acc-1",
            platform="odd",
            name="n",
            handle="n",
            timezone="UTC",
            credentials={"token": "hush-hush"},
        )
        return Publication(key="key-1", account=account, text="x", scheduled_for=NOW)

    return make


def test_an_unexpected_error_is_unknown_and_logged_once_without_secrets(publication, caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(UnknownOutcome, match="ValueError"):
        publishing.send(publication(ValueError("Illegal header value b'Bearer hush-hush'")), timeout=1)
    (record,) = caplog.records
    assert (record.key, record.account) == ("key-1", "acc-1")
    assert "hush-hush" not in caplog.text
    assert "ValueError" in caplog.text


def test_the_five_classes_go_through_with_secrets_blotted_out(publication):
    error = AuthFailed("No.", platform_message="invalid token hush-hush")
    with pytest.raises(AuthFailed) as caught:
        publishing.send(publication(error), timeout=1)
    assert caught.value.platform_message == "invalid token •••"


def test_a_missing_adapter_is_a_rejection(publication, monkeypatch):
    made = publication(None)
    monkeypatch.setattr(adapters, "_entries", {})
    with pytest.raises(AdapterMissing):
        publishing.send(made, timeout=1)


@pytest.mark.parametrize("error", [AuthFailed("x"), Rejected("x"), ValueError("x"), UnknownOutcome("x")])
def test_a_look_up_that_fails_is_always_unknown(publication, error):
    with pytest.raises(UnknownOutcome):
        publishing.find(publication(error), timeout=1)


def test_a_poll_may_be_rejected(publication):
    made = publication(Rejected("gave up"))
    with pytest.raises(Rejected):
        publishing.poll(made.account, {}, timeout=1)


def test_a_missing_adapter_ends_no_post_that_is_being_worked_on(publication, monkeypatch):
    made = publication(None)
    monkeypatch.setattr(adapters, "_entries", {})
    with pytest.raises(UnknownOutcome):
        publishing.poll(made.account, {}, timeout=1)
    with pytest.raises(UnknownOutcome):
        publishing.find(made, timeout=1)
