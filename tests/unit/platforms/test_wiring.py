"""Adapters of other packages: good ones join, broken ones are named and skipped."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint

import pytest

from platforms import wiring
from platforms.adapters.sandbox.adapter import SandboxAdapter
from platforms.errors import AdapterMissing, PlatformError, Rejected, clean
from platforms.registry import adapter_for, adapters


class Foreign(SandboxAdapter):
    key = "foreign"


def test_the_built_in_adapters_are_there():
    assert {"sandbox", "http"} <= set(adapters)


def test_an_entry_point_joins(monkeypatch):
    monkeypatch.setattr(adapters, "_entries", dict(adapters._entries))
    monkeypatch.setattr(EntryPoint, "load", lambda self: Foreign)
    wiring.load(EntryPoint(name="foreign", value="pkg:Foreign", group=wiring.GROUP))
    assert adapter_for("foreign").key == "foreign"


@pytest.mark.parametrize("value", ["no_such_package:Adapter", "json:dumps"])
def test_a_broken_entry_point_is_logged_once_with_its_name_and_skipped(caplog, value):
    before = list(adapters)
    with caplog.at_level(logging.ERROR):
        wiring.load(EntryPoint(name="broken-one", value=value, group=wiring.GROUP))
    assert list(adapters) == before
    assert len(caplog.records) == 1
    assert "broken-one" in caplog.text


def test_a_missing_adapter_is_a_rejection_with_a_remedy():
    with pytest.raises(AdapterMissing, match="Install it again") as caught:
        adapter_for("myspace")
    assert isinstance(caught.value, Rejected)


def test_errors_carry_clean_words():
    error = PlatformError("No.", platform_message="a\x00b" + "c" * 9000, response={"echo": "Bearer abcdef"})
    assert len(error.platform_message) == 2000
    error.hide(["abcdef"])
    assert error.response == {"echo": "Bearer •••"}
    assert clean("line\nnext\u202e") == "line\nnext"
