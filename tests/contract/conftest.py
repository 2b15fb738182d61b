"""Adapters under contract, each with the network it publishes to."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from alwrity_scheduler.core import signing
from platforms.base import Adapter
from platforms.contracts import AccountRef, Publication
from tests.conftest import NOW
from tests.people import make_account

RECORDER = Path(__file__).parent.parent / "servers" / "recorder.py"
SECRET = signing.generate_secret()
TOKEN = "token-that-nobody-may-see"


class Recorder:
    """A recorder process and the ways to ask it things."""

    def __init__(self, path: Path, *options: str) -> None:
        command = [sys.executable, str(RECORDER), "--port", "0", "--db", str(path), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def control(self, **orders: Any) -> None:
        request = urllib.request.Request(f"{self.url}/control", data=json.dumps(orders).encode(), method="POST")
        urllib.request.urlopen(request).close()

    def log(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/log") as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate()


@pytest.fixture(scope="session")
def recorder_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    running = Recorder(tmp_path_factory.mktemp("recorder") / "log.jsonl", "--secret", SECRET)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def loopback_is_allowed(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]


@pytest.fixture
def recorder(recorder_process: Recorder) -> Iterator[Recorder]:
    yield recorder_process
    recorder_process.control(lookup=None)


@dataclass
class Network:
    """One adapter, an account on it, and how to make its platform misbehave and to count its posts."""

    adapter: Adapter
    account: AccountRef
    posts: Callable[[str], int]
    misbehave: Callable[[str], None]

    def publication(self, key: str, **values: Any) -> Publication:
        return Publication(key=key, account=self.account, text="Guten Morgen – 早上好", scheduled_for=NOW, **values)


@pytest.fixture
def http_network(recorder: Recorder) -> Network:
    from platforms.adapters.http.adapter import HttpAdapter

    account = AccountRef(
        id=1,
        public_id="a",
        platform="http",
        name="News",
        handle="news",
        timezone="UTC",
        credentials={"signing_secret": SECRET, "bearer_token": TOKEN},
        options={
            "publish_url": f"{recorder.url}/publish",
            "lookup_url": f"{recorder.url}/lookup",
            "endpoint_replays": True,
        },
    )
    orders = {
        "rejected": {"status": 422, "body": {"detail": "Too long."}},
        "auth": {"status": 401},
        "rate_limited": {"status": 429, "retry_after": 7},
        "unknown": {"drop": True, "made": True},
    }
    return Network(
        adapter=HttpAdapter(),
        account=account,
        posts=lambda key: recorder.log()["posts"].get(key, 0),
        misbehave=lambda kind: recorder.control(next=[orders[kind]]),
    )


def _sandbox(workspace: Any) -> Network:
    from platforms.adapters.sandbox.adapter import SandboxAdapter
    from platforms.adapters.sandbox.models import SandboxPost
    from platforms.services.publishing import account_ref

    made = account_ref(make_account(workspace, NOW))
    network = Network(
        adapter=SandboxAdapter(),
        account=made,
        posts=lambda key: SandboxPost.objects.filter(account_id=made.id, key=key).count(),
        misbehave=lambda kind: None,
    )

    def misbehave(kind: str) -> None:
        mode = "dropped_after_accepting" if kind == "unknown" else kind
        network.account = replace(made, options={"fault_mode": mode, "fault_rate": 1, "fault_seconds": 7})

    network.misbehave = misbehave
    return network


@pytest.fixture(params=["sandbox", "http"])
def network(request: pytest.FixtureRequest) -> Network:
    if request.param == "http":
        found: Network = request.getfixturevalue("http_network")
        return found
    return _sandbox(request.getfixturevalue("workspace"))
