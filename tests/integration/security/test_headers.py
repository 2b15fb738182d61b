"""What every answer says to a browser, and what a production installation is told by `check --deploy`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.test import Client

from alwrity_scheduler.core.hiding import hidden


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/api/v1/status/", "/healthz", "/nowhere/"])
def test_every_answer_forbids_what_it_does_not_need(path):
    answer = Client().get(path)

    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.processes
def test_a_production_installation_has_nothing_to_mend(tmp_path):
    environment = {
        "PATH": os.environ["PATH"], "ALWRITY_DATA_DIR": str(tmp_path), "PUBLIC_URL": "https://posts.example.com",
        "SECRET_KEY": "k" * 25 + "0123456789" * 4, "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_mail_addresses_are_cut_in_logs():
    assert hidden("sent to ana.lopez@mail.example.com.") == "sent to a…@mail.example.com."
    assert hidden("git@github") == "git@github"
