"""The live stream on a real server, and through the ASGI door: what happens arrives, and nobody else waits for it."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
from django.db import connections

from alwrity_scheduler import serve
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import ApiToken
from schedules.events import hub as hub_module
from schedules.events import stream
from schedules.events.hub import hub
from tests.people import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 10


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(hub_module, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(stream, "CHECK_SECONDS", 0.05)
    yield
    settle(lambda: hub.count == 0 and hub._thread is None)


@pytest.fixture
def address():
    from alwrity_scheduler.wsgi import application

    server = serve.make_server(application, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.effective_port}"
    for ear in Ear.every:
        ear.close()
    Ear.every.clear()
    # the listening socket and the trigger are left; closed by the loop itself, which would stumble over it otherwise
    settle(lambda: len(server._map) == 2)
    server.trigger.pull_trigger(server.close)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    server.task_dispatcher.shutdown(timeout=PATIENCE)
    hub.on_count.clear()
    connections.close_all()


def settle(is_so):
    tick = threading.Event()
    for _ in range(PATIENCE * 50):
        if is_so():
            return
        tick.wait(0.02)
    raise AssertionError("It did not come to that.")


class Ear:
    every: ClassVar[list[Ear]] = []

    def __init__(self, address, secret, query="", last_id=""):
        self.every.append(self)
        self.connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        self.connection.request("GET", f"/api/v1/events/stream{query}", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.id = self.block()["id"]

    def close(self):
        self.response.close()
        self.connection.close()

    def block(self):
        """The next block that is no heart-beat; None at the end."""
        found = {}
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text and not text.startswith(":"):
                name, _, value = text.partition(": ")
                found[name] = value
            elif not text and found:
                return found
        return None

    def event(self):
        block = self.block()
        self.id = block["id"]
        return json.loads(block["data"])


def rename(workspace, now, name):
    workspaces.update_workspace(workspace=workspace, name=name, timezone="Europe/Berlin", actor=ACTOR, now=now)


def test_what_happens_arrives_at_all_and_keeps_no_thread_from_others(address, secret, people, workspace, now):
    ears = [Ear(address, secret) for _ in range(4)]  # twice as many as the server has threads
    only_schedules = Ear(address, secret, "?types=schedule.*")
    assert hub.count == 5

    rename(workspace, now, "One")
    assert [ear.event()["data"]["after"] for ear in ears] == [{"name": "One"}] * 4
    rename(people.other_workspace, now, "None of theirs")
    rename(workspace, now, "Two")
    assert [ear.event()["data"]["after"] for ear in ears] == [{"name": "Two"}] * 4
    block = only_schedules.block()
    assert "data" not in block

    plain = http.client.HTTPConnection(address, timeout=PATIENCE)
    plain.request("GET", "/healthz")
    assert plain.getresponse().status == 200
    plain.close()

    # gone in the middle, and back with the last id: what happened meanwhile is there
    ears[0].close()
    settle(lambda: hub.count == 4)
    rename(workspace, now, "Three")
    assert Ear(address, secret, last_id=ears[0].id).event()["data"]["after"] == {"name": "Three"}
    assert ears[1].event()["data"]["after"] == {"name": "Three"}

    workspaces.revoke_token(token=ApiToken.objects.get(), actor=ACTOR, now=now)
    last = ears[1].block()
    assert last is None or json.loads(last["data"])["type"] == "token.revoked"
    settle(lambda: hub.count == 0)


def test_over_the_cap_the_answer_ends_and_says_when_to_come_back(address, secret, settings):
    settings.STREAM = {"most": 1, "seconds": 900}
    first = Ear(address, secret)
    second = http.client.HTTPConnection(address, timeout=PATIENCE)
    second.request("GET", "/api/v1/events/stream", headers={"Authorization": f"Bearer {secret}"})
    body = second.getresponse().read().decode()
    second.close()

    assert body == f"retry: 5000\nid: {first.id}\n\n"


def test_under_asgi_no_thread_is_held(secret, workspace, now, monkeypatch):
    monkeypatch.setenv("DATABASE_CONN_MAX_AGE", "0")
    from alwrity_scheduler.asgi import application

    # as the module says to settings that are not read yet
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)

    async def listen():
        sent, gone = asyncio.Queue(), asyncio.Event()
        asked = False

        async def receive():
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/api/v1/events/stream", "raw_path": b"/api/v1/events/stream", "query_string": b"", "root_path": "",
            "headers": [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {secret}".encode())],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        task = asyncio.create_task(application(scope, receive, sent.put))

        async def until(word):
            while True:
                message = await asyncio.wait_for(sent.get(), PATIENCE)
                if word in message.get("body", b""):
                    return message["body"].decode()

        await until(b"retry: 3000")
        await asyncio.to_thread(_aside, rename, workspace, now, "Heard")
        found = await until(b"data: ")
        gone.set()
        await asyncio.wait_for(task, PATIENCE)
        return found

    # a thread of its own: a browser test of the same process may have left its loop running in this one
    with ThreadPoolExecutor(1) as aside:
        found = aside.submit(_aside, asyncio.run, listen()).result(PATIENCE * 3)

    assert json.loads(found.split("data: ")[1])["data"]["after"] == {"name": "Heard"}


def _aside(act, *given):
    try:
        return act(*given)
    finally:
        connections.close_all()
