"""Pinterest: bodies held against its own description, and no pin twice wherever a call breaks off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alwrity_scheduler.core.http import Response
from platforms.adapters.pinterest.adapter import ADAPTER
from platforms.adapters.pinterest.api import error_of
from platforms.base import Checks, Deletes, Edits, HasApps, HasPostOptions, HasServices, Measures, Refreshes, SignsIn
from platforms.contracts import Accepted, AccountRef, ClientApp, MediaRef, Publication, Published
from platforms.errors import Rejected, UnknownOutcome
from tests.conftest import NOW
from tests.contract.killing import WAYS, Break, settled
from tests.servers.pinterest import PinterestDouble


@pytest.fixture
def pins() -> Iterator[PinterestDouble]:
    double = PinterestDouble()
    yield double
    double.stop()


def account(double: PinterestDouble) -> AccountRef:
    return AccountRef(
        id=1,
        public_id="a",
        platform="pinterest",
        name="Summer",
        handle="ourpins/Summer",
        timezone="UTC",
        credentials={"access_token": double.TOKEN, "client_secret": double.SECRET, "refresh_token": "renew-me-please"},
        options={"board_id": double.BOARD, "client_id": double.APP, "api_url": f"{double.url}/v5"},
    )


def file(tmp_path: Any, name: str, mime: str, content: bytes = b"0123456789", alt: str = "") -> MediaRef:
    path = tmp_path / name
    path.write_bytes(content)
    url = f"https://media.example.org/{name}"
    return MediaRef(url=url, mime=mime, alt=alt, size=len(content), checksum=name, path=str(path), name=name)


def post(double: PinterestDouble, *media: MediaRef, **values: Any) -> Publication:
    made: dict[str, Any] = {
        "text": "Guten Morgen",
        "title": "Summer",
        "link": "https://example.org/",
        "scheduled_for": NOW,
    }
    return Publication(key="k", account=account(double), media=media, **{**made, **values})


def followed(publication: Publication) -> Published:
    result: Published | Accepted = ADAPTER.publish(publication, timeout=20)
    for _ in range(30):
        if isinstance(result, Published):
            return result
        result = ADAPTER.poll(publication.account, result.remote_state, timeout=20)
    raise AssertionError("never finished")


def test_it_offers_what_the_platform_has():
    for part in (HasServices, HasApps, HasPostOptions, Checks, Deletes, Edits, Measures, Refreshes, SignsIn):
        assert isinstance(ADAPTER, part)


def test_an_image_travels_within_the_call(pins, tmp_path):
    done = followed(post(pins, file(tmp_path, "a.png", "image/png", alt="A cat"), hashtags=("sun",)))
    made = pins.pins[done.remote_id]
    assert made["files"] == [b"0123456789"]
    assert (made["title"], made["description"], made["link"], made["alt_text"]) == (
        "Summer", "Guten Morgen\n\n#sun", "https://example.org/", "A cat",
    )  # fmt: skip
    assert done.url == f"https://www.pinterest.com/pin/{done.remote_id}/"


def test_a_carousel_keeps_its_order(pins, tmp_path):
    images = [file(tmp_path, f"{n}.jpg", "image/jpeg", content=b"x" * (n + 1)) for n in range(5)]
    done = followed(post(pins, *images, content_type="carousel"))
    assert pins.pins[done.remote_id]["files"] == [b"x", b"xx", b"xxx", b"xxxx", b"xxxxx"]


def test_a_video_is_stored_processed_and_pinned(pins, tmp_path):
    done = followed(post(pins, file(tmp_path, "v.mp4", "video/mp4"), content_type="video"))
    made = pins.pins[done.remote_id]
    assert made["source"] == "video_id"
    assert pins.media[made["media_id"]]["bytes"] == b"0123456789"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("kind", "first"), [("image", 20), ("video", 20), ("carousel", 0)])
def test_a_break_after_any_request_makes_no_second_pin_and_loses_none(pins, tmp_path, monkeypatch, kind, first, way):
    media = {
        "image": [file(tmp_path, "a.png", "image/png")],
        "video": [file(tmp_path, "v.mp4", "video/mp4")],
        "carousel": [file(tmp_path, f"{n}.png", "image/png") for n in range(2)],
    }[kind]

    def run(at: int) -> int:
        pins.fresh()
        with monkeypatch.context() as patch:
            broken = Break(patch, at, way)
            secrets = (pins.TOKEN, pins.SECRET, "sig-nobody-may-see")
            done = settled(ADAPTER, post(pins, *media, content_type=kind), secrets=secrets, first=first)
        assert list(pins.pins) == [done.remote_id], at
        return broken.count

    for at in range(run(-1)):
        run(at)


def test_a_look_up_goes_page_by_page_and_takes_no_older_pin(pins, tmp_path):
    wanted = post(pins, file(tmp_path, "a.png", "image/png"))
    done = followed(wanted)
    for number in range(4):
        followed(replace(wanted, text=f"Another {number}"))
    assert ADAPTER.find(wanted, timeout=5).remote_id == done.remote_id
    assert ADAPTER.find(replace(wanted, link="https://example.org/b"), timeout=5) is None
    pins.pins[done.remote_id]["created_at"] = "2026-11-22T08:00:05"
    assert ADAPTER.find(wanted, timeout=5) is None


def test_pins_without_words_cannot_be_told_apart(pins, tmp_path):
    wordless = post(pins, file(tmp_path, "a.png", "image/png"), text="", title="", link="")
    assert ADAPTER.find(wordless, timeout=5) is None
    followed(wordless)
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(wordless, timeout=5)


def test_a_video_that_cannot_be_processed_is_refused(pins, tmp_path):
    result = ADAPTER.publish(post(pins, file(tmp_path, "v.mp4", "video/mp4"), content_type="video"), timeout=20)
    pins.media[result.remote_state["media_id"]]["status"] = "failed"
    with pytest.raises(Rejected):
        ADAPTER.poll(account(pins), result.remote_state, timeout=5)
    assert pins.pins == {}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "auth"), (403, "auth"), (400, "rejected"), (404, "rejected"), (422, "rejected"), (429, "rate_limited"),
        (408, "unknown"), (500, "unknown"), (503, "unknown"), (302, "unknown"),
    ],
)  # fmt: skip
def test_every_answer_has_its_class_and_keeps_the_words(status, expected):
    answer = Response(status=status, headers={}, body=json.dumps({"code": 7, "message": "Their words"}).encode())
    error = error_of(answer, NOW)
    assert (error.error_class, error.platform_message, error.response) == (expected, "Their words", {"code": 7})


def test_edit_and_delete_and_figures_and_verify(pins, tmp_path):
    image = file(tmp_path, "a.png", "image/png")
    done = followed(post(pins, image))
    ADAPTER.edit(post(pins, image, text="Guten Abend"), done.remote_id, timeout=5)
    assert pins.pins[done.remote_id]["description"] == "Guten Abend"
    (told,) = ADAPTER.metrics(account(pins), [done.remote_id, "1"], timeout=5)
    assert dict(told.values) == {"impressions": 240, "bookmarks": 20, "replies": 10}
    assert "Summer" in ADAPTER.verify(account(pins), timeout=5).message
    ADAPTER.delete(account(pins), done.remote_id, timeout=5)
    ADAPTER.delete(account(pins), done.remote_id, timeout=5)
    assert pins.pins == {}


def test_signing_in_offers_the_boards_and_renews(pins):
    app = ClientApp(
        client_id=pins.APP,
        client_secret=pins.SECRET,
        redirect_uri="https://us.example/back",
        options={"api_url": f"{pins.url}/v5"},
    )
    assert "scope=boards%3Aread%2Cboards%3Awrite" in ADAPTER.authorize_url(app, state="s", challenge="")
    grant = ADAPTER.exchange(app, code="good-code", verifier="", timeout=5)
    (board,) = ADAPTER.places(app, grant, timeout=5)
    assert (board.handle, board.options["board_id"]) == ("ourpins/Summer", pins.BOARD)
    assert ADAPTER.check_settings(board.options, board.credentials) == []
    assert ADAPTER.can_refresh(account(pins))
    assert ADAPTER.refresh(account(pins), timeout=5).credentials["access_token"] == pins.TOKEN
    assert pins.TOKEN not in repr(board) + repr(grant)


def test_what_pinterest_would_refuse_is_told_before(pins):
    long = post(pins, link="https://example.org/" + "x" * 2048, options={"board_section_id": "summer"})
    assert [found.code for found in ADAPTER.check(long, account(pins))] == ["link_too_long", "section"]
    assert list(ADAPTER.check(post(pins), account(pins))) == []
