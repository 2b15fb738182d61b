"""Secrets at rest: what encrypts, what decrypts, and what never shows."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from alwrity_scheduler.core import checks, secrets
from alwrity_scheduler.core.secrets import CannotDecrypt, KeysUnusable, Secrets

OLD, NEW = secrets.generate_key(), secrets.generate_key()


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.ENCRYPTION_KEYS = [OLD]
    settings.DATA_DIR = tmp_path
    return settings


def test_a_token_opens_with_any_key_of_the_list_and_with_no_other(keys):
    token = secrets.encrypt("hush")
    assert "hush" not in token
    keys.ENCRYPTION_KEYS = [NEW, OLD]
    assert secrets.decrypt(token) == "hush"
    keys.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(CannotDecrypt, match="ENCRYPTION_KEYS"):
        secrets.decrypt(token)


def test_a_running_process_finds_the_new_key_in_the_file(keys, tmp_path):
    token = secrets.encrypt("hush", keys=[NEW])
    (tmp_path / "keys.env").write_text(f"SECRET_KEY=x\nENCRYPTION_KEYS={NEW},{OLD}\n")
    assert secrets.decrypt(token) == "hush"


def test_a_file_of_another_installation_is_not_believed(tmp_path):
    token = secrets.encrypt("hush", keys=[NEW])
    (tmp_path / "keys.env").write_text(f"ENCRYPTION_KEYS={NEW}\n")
    with pytest.raises(CannotDecrypt):
        secrets.decrypt(token)


def test_reencrypting_leaves_what_is_done_alone():
    token = secrets.encrypt("hush")
    fresh = secrets.reencrypt(token, keys=[NEW, OLD])
    assert fresh != token
    assert secrets.reencrypt(fresh, keys=[NEW, OLD]) == fresh
    with pytest.raises(CannotDecrypt):
        secrets.reencrypt(token, keys=[NEW])


def test_secrets_never_show():
    held = Secrets({"token": "hush"})
    assert "hush" not in f"{held} {held!r} {[held]}"
    with pytest.raises(TypeError):
        pickle.dumps(held)
    with pytest.raises(TypeError):
        json.dumps(held)
    assert copy.deepcopy(held)["token"] == "hush"


def test_sealed_secrets_open_when_they_are_read():
    sealed = Secrets(token=Secrets({"token": "hush"}).sealed())
    assert bool(sealed)
    assert dict(sealed) == {"token": "hush"}
    assert not Secrets()
    assert Secrets().sealed() == ""


def test_an_unreadable_secret_can_be_listed_and_saved_again(keys):
    token = Secrets({"token": "hush"}).sealed()
    keys.ENCRYPTION_KEYS = [NEW]
    lost = Secrets(token=token)
    assert repr(lost) == "Secrets(hidden)"
    assert lost.sealed() == token
    assert not lost.is_readable()
    with pytest.raises(CannotDecrypt):
        lost["token"]


@pytest.mark.parametrize(
    ("secret_key", "encryption_keys", "ids"),
    [
        ("x", [OLD], []),
        ("", [OLD], ["alwrity.E001"]),
        ("x", [], ["alwrity.E002"]),
        ("", [], ["alwrity.E001", "alwrity.E002"]),
        ("x", ["not a key"], ["alwrity.E003"]),
        ("x", [OLD, "short"], ["alwrity.E003"]),
    ],
)
def test_empty_and_broken_keys_are_reported_with_a_remedy(keys, secret_key, encryption_keys, ids):
    keys.SECRET_KEY, keys.ENCRYPTION_KEYS = secret_key, encryption_keys
    found = checks.keys_are_set(None)
    assert [message.id for message in found] == ids
    assert all(message.hint for message in found)


def test_no_key_is_an_error_of_its_own(keys):
    keys.ENCRYPTION_KEYS = []
    with pytest.raises(KeysUnusable):
        secrets.encrypt("x")
