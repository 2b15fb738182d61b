"""Adapters under contract, each with the network it publishes to."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alwrity_scheduler.core import signing
from platforms.contracts import AccountRef
from tests.contract import networks
from tests.contract.networks import Network

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
        posts=lambda publication: recorder.log()["posts"].get(publication.key, 0),
        misbehave=lambda kind: recorder.control(next=[orders[kind]]),
        words={"text": "Guten Morgen – 早上好"},
        unreachable=replace(account, options={"publish_url": "http://127.0.0.1:1/"}),
    )


NETWORKS = sorted(found.name for found in pkgutil.iter_modules(networks.__path__))


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.xdist_group(f"network-{name}")) for name in NETWORKS])
def network(request: pytest.FixtureRequest) -> Network:
    """Each adapter with its platform: a module of `tests/contract/networks` each."""
    module = importlib.import_module(f"tests.contract.networks.{request.param}")
    if why := getattr(module, "SKIP", ""):
        pytest.skip(why)
    found: Network = module.network(request)
    return found
