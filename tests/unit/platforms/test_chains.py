"""A post of several calls: what is certain after each way it can end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from platforms import chains, uploads
from platforms.chains import OutOfTime
from platforms.contracts import Accepted, MediaRef, Published, RateInfo
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome


class Steps:
    """A platform of a list. `trouble`: what the n-th sending raises; `after` is true when it makes the part all the same."""

    consistency_seconds = 9.0

    def __init__(
        self, trouble: dict[int, Exception] | None = None, *, after: bool = False, waits: list[float] | None = None
    ) -> None:
        self.out: list[str] = []
        self.sent = self.looks = 0
        self.trouble, self.after, self.waits = trouble or {}, after, waits or []
        self.blind: PlatformError | None = None
        self.preparing: Exception | None = None

    def prepare(self, state: chains.State) -> float | None:
        if self.preparing:
            raise self.preparing
        return self.waits.pop(0) if self.waits else None

    def look(self, state: chains.State, number: int) -> dict[str, Any] | None:
        self.looks += 1
        if self.blind:
            raise self.blind
        return {"id": str(number), "url": "https://x.test/"} if number < len(self.out) else None

    def send(self, state: chains.State, number: int) -> dict[str, Any]:
        self.sent += 1
        trouble = self.trouble.pop(number, None)
        if trouble is None or self.after:
            self.out.append(state["parts"][number])
        if trouble:
            raise trouble
        return {"id": str(number), "url": "https://x.test/", "rate": RateInfo(remaining=5)}


def state(**more: Any) -> dict[str, Any]:
    return {"parts": ["a", "b", "c"], "done": [], **more}


def test_all_at_once():
    steps = Steps()
    made = chains.run(steps, state(), polling=False)
    assert isinstance(made, Published)
    assert (made.remote_id, made.response["ids"], made.already, steps.looks) == ("0", ["0", "1", "2"], False, 0)
    assert made.rate == RateInfo(remaining=5)


@pytest.mark.parametrize(
    "error", [Rejected("no"), AuthFailed("no"), RateLimited("no"), Unavailable("no"), UnknownOutcome("no")]
)
def test_while_nothing_is_out_the_error_is_the_engines(error):
    with pytest.raises(type(error)):
        chains.run(Steps({0: error}), state(), polling=False)


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("number", [1, 2])
def test_an_unclear_part_is_looked_for_and_never_made_twice(number, after):
    steps = Steps({number: UnknownOutcome("?")}, after=after)
    waiting = chains.run(steps, state(), polling=False)
    assert isinstance(waiting, Accepted)
    assert waiting.poll_after_seconds >= steps.consistency_seconds
    stored = json.loads(json.dumps(waiting.remote_state))
    assert isinstance(chains.run(steps, stored, polling=True), Published)
    assert steps.out == ["a", "b", "c"]


def test_a_rate_limit_is_waited_for_however_often_and_other_troubles_end():
    limited: Any = state(done=[{"id": "0", "url": "u"}])
    for _ in range(30):
        result = chains.run(Steps({1: RateLimited("slow", retry_after_seconds=900)}), limited, polling=True)
        assert isinstance(result, Accepted)
        assert result.poll_after_seconds == 900
        limited = result.remote_state
    down: Any = state(done=[{"id": "0", "url": "u"}])
    pauses = []
    for _ in range(chains.MOST_MISSES - 1):
        result = chains.run(Steps({1: Unavailable("down")}), down, polling=True)
        assert isinstance(result, Accepted)
        pauses.append(result.poll_after_seconds)
        down = result.remote_state
    with pytest.raises(UnknownOutcome, match="1 of 3 parts are out"):
        chains.run(Steps({1: Unavailable("down")}), down, polling=True)
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses[-1] == 600


def test_a_refusal_in_the_middle_is_told_by_the_poll_alone():
    steps = Steps({1: Rejected("Too rude.", status_code=403, platform_message="rude")})
    result = chains.run(steps, state(), polling=False)
    assert isinstance(result, Accepted)
    for _ in range(2):
        with pytest.raises(Rejected, match=r"1 of 3 parts are out .*Too rude") as caught:
            chains.run(steps, result.remote_state, polling=True)
        assert (caught.value.status_code, caught.value.platform_message) == (403, "rude")
    assert steps.sent == 2


def test_a_poll_lets_only_two_classes_out():
    for error in (AuthFailed("no"), RateLimited("no"), Unavailable("no"), UnknownOutcome("no")):
        assert isinstance(chains.run(Steps({0: error}), state(), polling=True), Accepted)
    with pytest.raises(Rejected):
        chains.run(Steps({0: Rejected("no")}), state(), polling=True)


def test_files_come_first_and_may_take_several_calls():
    steps = Steps(waits=[3.0, 2.0])
    first = chains.run(steps, state(), polling=False)
    assert isinstance(first, Accepted)
    assert (first.poll_after_seconds, steps.sent) == (3.0, 0)
    assert isinstance(chains.run(steps, first.remote_state, polling=True), Accepted)
    assert isinstance(chains.run(steps, first.remote_state, polling=True), Published)


def test_an_unclear_answer_to_a_file_is_certainly_no_post():
    steps = Steps()
    steps.preparing = UnknownOutcome("?")
    with pytest.raises(Unavailable):
        chains.run(steps, state(), polling=False)


def test_a_look_that_is_refused_is_not_a_refusal_of_the_post():
    steps = Steps()
    steps.blind = Rejected("no such page")
    with pytest.raises(UnknownOutcome):
        chains.run(steps, state(look=True), polling=False)
    with pytest.raises(UnknownOutcome):
        chains.find(steps, state())
    assert steps.sent == 0


def test_when_the_time_is_up_the_poll_goes_on():
    steps = Steps({1: OutOfTime()})
    result = chains.run(steps, state(), polling=False)
    assert isinstance(result, Accepted)
    assert isinstance(chains.run(steps, result.remote_state, polling=True), Published)
    assert steps.out == ["a", "b", "c"]


@pytest.mark.parametrize(("out", "kind"), [(0, type(None)), (1, Accepted), (2, Accepted), (3, Published)])
def test_what_is_out_is_found_as_it_is(out, kind):
    steps = Steps()
    steps.out = ["a", "b", "c"][:out]
    found = chains.find(steps, state())
    assert isinstance(found, kind)
    if isinstance(found, Published):
        assert found.already
    assert steps.sent == 0


def test_a_state_that_is_given_is_never_changed():
    given = state()
    chains.run(Steps(), given, polling=False)
    assert given == state()


def reference(**values: Any) -> MediaRef:
    return MediaRef(
        **{"url": "http://127.0.0.1:1/m", "mime": "image/png", "alt": "", "size": 6, "checksum": "c", **values}
    )


def test_a_file_is_read_in_pieces_and_one_that_cannot_be_fetched_is_tried_again(tmp_path, settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    path = tmp_path / "a.png"
    path.write_bytes(b"abcdef")
    file = json.loads(json.dumps(uploads.stored(reference(path=str(path)))))
    files = uploads.Files()
    assert (files.size(file, 5), files.read(file, 5), files.read(file, 5, 2, 3)) == (6, b"abcdef", b"cde")
    path.unlink()
    with pytest.raises(Unavailable):
        uploads.Files().read(file, 5)
