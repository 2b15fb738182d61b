"""Rotating the encryption keys: nothing is lost, nothing half done stays half done."""

from __future__ import annotations

import io
import stat

import pytest
from django.core.management import CommandError, call_command

from alwrity_scheduler.core import secrets
from platforms.management.commands import rotate_keys
from platforms.models import PlatformAccount
from platforms.services.publishing import account_ref
from tests.people import make_account

pytestmark = pytest.mark.django_db
OLD = secrets.generate_key()


@pytest.fixture
def keys_file(settings, tmp_path):
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, [OLD]
    path = tmp_path / "keys.env"
    path.write_text(f"# keep\nSECRET_KEY=s\nENCRYPTION_KEYS={OLD}\n")
    return path


@pytest.fixture
def accounts(keys_file, workspace, now):
    options = {"publish_url": "https://api.test/"}
    return [
        make_account(
            workspace, now, platform="http", name=f"N{n}", options=options, credentials={"bearer_token": f"hush-{n}"}
        )
        for n in range(5)
    ]


def rotate(*options):
    out = io.StringIO()
    call_command("rotate_keys", *options, stdout=out)
    return out.getvalue()


def tokens():
    return [account_ref(row).credentials["bearer_token"] for row in PlatformAccount.objects.order_by("id")]


def raw():
    rows = PlatformAccount.objects.order_by("id").extra(select={"raw": "credentials"}).values_list("raw", flat=True)
    return list(rows)


def test_a_new_key_goes_in_front_and_every_row_under_it(accounts, keys_file, settings, monkeypatch):
    monkeypatch.setattr(rotate_keys, "BATCH", 2)
    said = rotate("--new-key")
    new, old = secrets.keys_in_file()
    assert old == OLD
    assert "5 of 5 rows" in said
    assert "Restart" in said
    assert new not in said
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    assert "# keep\nSECRET_KEY=s\n" in keys_file.read_text()
    assert tokens() == [f"hush-{n}" for n in range(5)]  # this process still holds the old list and reads on
    settings.ENCRYPTION_KEYS = [new]
    assert tokens() == [f"hush-{n}" for n in range(5)]


def test_running_again_does_only_what_is_left(accounts, settings):
    rotate("--new-key")
    settings.ENCRYPTION_KEYS = list(secrets.keys_in_file())
    PlatformAccount.objects.filter(pk=accounts[3].pk).update(
        credentials=secrets.encrypt('{"bearer_token": "late"}', keys=[OLD])
    )
    assert "1 of 5 rows" in rotate()
    assert "0 of 5 rows" in rotate()


def test_the_old_key_is_dropped_only_when_every_row_is_under_the_new_one(accounts, settings, keys_file):
    rotate("--new-key")
    settings.ENCRYPTION_KEYS = list(secrets.keys_in_file())
    stranger = secrets.encrypt("{}", keys=[secrets.generate_key()])
    PlatformAccount.objects.filter(pk=accounts[0].pk).update(credentials=stranger)
    with pytest.raises(CommandError, match="1 rows could not be read"):
        rotate("--drop-old")
    assert len(secrets.keys_in_file()) == 2
    PlatformAccount.objects.filter(pk=accounts[0].pk).update(credentials={"bearer_token": "entered anew"})
    rotate("--drop-old")
    assert secrets.keys_in_file() == (settings.ENCRYPTION_KEYS[0],)
    settings.ENCRYPTION_KEYS = list(secrets.keys_in_file())
    assert tokens()[0] == "entered anew"


def test_credentials_saved_in_between_are_not_overwritten(accounts, monkeypatch, settings):
    newer = accounts[0]
    real, done = secrets.reencrypt, []

    def slow(token, *, keys):
        if not done:
            done.append(True)
            PlatformAccount.objects.filter(pk=newer.pk).update(credentials={"bearer_token": "newer"})
        return real(token, keys=keys)

    monkeypatch.setattr(rotate_keys, "reencrypt", slow)
    rotate("--new-key")
    assert tokens()[0] == "newer"


def test_keys_of_the_environment_cannot_be_changed_here(accounts, settings, keys_file):
    settings.ENCRYPTION_KEYS = [secrets.generate_key(), OLD]
    with pytest.raises(CommandError, match="environment"):
        rotate("--new-key")
    assert keys_file.read_text().endswith(f"ENCRYPTION_KEYS={OLD}\n")
    before = raw()
    assert "5 of 5 rows" in rotate()
    assert raw() != before


def test_no_key_at_all_is_said_in_words(accounts, settings):
    settings.ENCRYPTION_KEYS = []
    with pytest.raises(CommandError, match="quickstart"):
        rotate()
