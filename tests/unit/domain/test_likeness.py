"""How alike two texts are, and what changed between two versions."""

from __future__ import annotations

import pytest

from schedules.domain.likeness import NEAR, changes, likeness, normal


@pytest.mark.parametrize(
    ("one", "other", "exact"),
    [
        ("In at eight, gone by noon!", "in at EIGHT gone by noon https://a.example/x?1", True),
        ("Our autumn roast is here, with plum and cocoa.", "Our autumn roast is here with plum and honey", False),
    ],
)
def test_the_same_words_are_the_same_and_few_other_words_are_near(one, other, exact):
    found = likeness(normal(one), normal(other))
    assert found >= NEAR
    assert (found == 1.0) is exact


def test_other_words_and_the_same_words_shuffled_are_neither():
    first = "open today from nine to five for everybody in town"
    assert likeness(normal(first), normal("we are closed on sundays and on bank holidays in may")) < 0.5
    assert likeness(normal(first), normal(" ".join(reversed(first.split())))) < NEAR
    assert likeness("", "word") == 0.0


def test_changes_give_both_texts_back_to_the_letter():
    old, new = "Gone by  noon.\nSee you, Ben", "Gone by  ten.\nSee you all, Ben!"
    found = changes(old, new)
    assert "".join(item.text for item in found if item.kind != "added") == old
    assert "".join(item.text for item in found if item.kind != "removed") == new
    assert [(item.kind, item.text) for item in found if item.kind != "same"] == [
        ("removed", "noon"),
        ("added", "ten"),
        ("added", " all"),
        ("added", "!"),
    ]


def test_equal_texts_have_no_change():
    assert [item.kind for item in changes("same", "same")] == ["same"]
    assert changes("", "") == []
