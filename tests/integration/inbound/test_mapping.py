"""From what came in to the fields of a post. Pure."""

from __future__ import annotations

import pytest

from schedules.inbound.mapping import Trouble, filled, is_path, known_paths, look_up, paths, wrong_places

CALL = {
    "data": {"title": "Fair", "n": 3, "none": None, "on": True, "tags": ["a", "b"], "list": "x, y  z", "bad": "a\x00b"},
    "items": [{"text": "first"}, {"text": "second"}],
    "with space": {"dash-ed": "ok"},
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"path": "data.title"}, "Fair"),
        ({"path": "items.1.text"}, "second"),
        ({"path": "with space.dash-ed"}, "ok"),
        ({"path": "data.n"}, "3"),
        ({"path": "data.on"}, "true"),
        ({"path": "data.absent?"}, None),
        ({"path": "data.none?"}, None),
        ({"text": "New: {data.title} ({data.n})"}, "New: Fair (3)"),
        ({"text": "No {data.absent?}hole"}, "No hole"),
        ({"text": "{data.title.__class__?}"}, None),  # nothing is evaluated
        ({"text": "plain"}, "plain"),
    ],
)
def test_a_text_is_found(source, expected):
    assert filled({"text": source}, CALL) == ({} if expected is None else {"text": expected}, [])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("data.absent", "missing"),
        ("data.none", "missing"),
        ("items.2.text", "missing"),
        ("items.-1.text", "missing"),
        ("data", "not_text"),
        ("items", "not_text"),
        ("data.bad", "characters"),
    ],
)
def test_what_cannot_be_taken_names_field_and_path(path, code):
    assert filled({"title": {"path": path}}, CALL) == ({}, [Trouble("title", path, code)])
    assert filled({"title": {"text": f"x {{{path}}}"}}, CALL) == ({}, [Trouble("title", path, code)])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"path": "data.tags"}, ["a", "b"]),
        ({"path": "data.list"}, ["x", "y", "z"]),
        ({"text": "#fair, #{data.title}"}, ["#fair", "#Fair"]),
    ],
)
def test_words_come_as_a_list_or_as_a_text(source, expected):
    assert filled({"hashtags": source}, CALL) == ({"hashtags": expected}, [])


@pytest.mark.parametrize("path", ["", "a..b", ".a", "a.", "a{b", "x" * 201, ".".join("a" * 13)])
def test_what_is_no_path(path):
    assert not is_path(path)
    assert wrong_places(f"{{{path}}}") or "{" in path


def test_a_list_may_be_the_whole_call_and_paths_are_told():
    assert look_up([{"a": 1}], "0.a") == 1
    assert known_paths(CALL)[:3] == ["data.title", "data.n", "data.none"]
    assert "items.0.text" in known_paths(CALL)
    assert paths({"title": {"text": "{a.b} and {c?}"}}, "title") == "a.b, c"
    assert paths({"title": {"path": "a.b?"}}, "title") == "a.b"
