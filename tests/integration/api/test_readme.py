"""Every example of the API's README is sent as it stands there, with ids of things that are there in place of its `…`."""

from __future__ import annotations

import json
import re
import shlex
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from schedules.models import ContentItem, Job
from tests.integration.api import described
from tests.integration.api.callers import Caller
from tests.people import make_schedule

README = Path(__file__).resolve().parents[3] / "schedules" / "api" / "README.md"
BLOCKS = re.findall(r"^```\n(.*?)^```$", README.read_text(encoding="utf-8"), re.S | re.M)
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def requests_in(block: str) -> list[tuple[str, str, Any, bool]]:
    """(method, address, body, is a form) of each request in a block: a curl command, or a line `POST /api/v1/…` and its JSON."""
    if block.lstrip().startswith("curl "):
        commands = re.split(r"^(?=curl )", block.replace("\\\n", " "), flags=re.M)
        return [_of_curl(shlex.split(command)) for command in commands if command.strip()]
    if block.lstrip().startswith(VERBS):
        parts = [part for part in re.split(r"\n\s*\n", block) if part.strip()]
        return [_of_lines(part) for part in parts]
    # the sentence before these names the address
    return [("POST", "/api/v1/content/check/", json.loads(line), False) for line in block.splitlines()]


def _of_curl(words: list[str]) -> tuple[str, str, Any, bool]:
    address = next(word for word in words if word.startswith("http"))
    path = address.removeprefix("http://127.0.0.1:8000")
    forms = [words[place + 1] for place, word in enumerate(words) if word == "-F"]
    if forms:
        return "POST", path, dict(form.split("=", 1) for form in forms), True
    if "-d" not in words:
        return words[words.index("-X") + 1] if "-X" in words else "GET", path, None, False
    return "POST", path, json.loads(words[words.index("-d") + 1]), False


def _of_lines(part: str) -> tuple[str, str, Any, bool]:
    head, _, body = part.strip().partition("\n")
    method, address = head.split(" ", 1)
    return method, address, json.loads(body) if body.strip() else None, False


EXAMPLES = [
    pytest.param(*request, id=f"{number}-{request[0]} {request[1]}")
    for number, block in enumerate(BLOCKS)
    for request in requests_in(block)
]


def test_there_are_examples():
    assert len(EXAMPLES) >= 9


@pytest.fixture(scope="module")
def web_server():
    class Picture(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.end_headers()
            self.wfile.write(picture())

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Picture)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def there(people, account, web_server, after):
    """What the examples speak of: stored content, a post on the calendar, and a picture on the web."""
    once = make_schedule(people.workspace, [account], after(hours=30), text="Hello from the calendar")
    job = Job.objects.get(schedule=once)
    return {
        "account": str(account.public_id), "content": str(ContentItem.objects.get().public_id), "key": f"j{job.pk}",
        "url": f"{web_server}/pier.jpg",
    }  # fmt: skip


def _filled(value: Any, there: dict[str, str], name: str = "") -> Any:
    """The body with ids in place of what only stands for one."""
    if isinstance(value, dict):
        filled = {key: _filled(inner, there, key) for key, inner in value.items()}
        return filled | {"version": 1} if "version" in filled else filled
    if isinstance(value, list):
        return [_filled(inner, there, name) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"<.*>|…", value):
        return {"content": there["content"], "text": "We are live.", "link": ""}.get(name, there["account"])
    if name == "url":
        return there["url"]
    if isinstance(value, str) and value.endswith("…"):
        return value.replace("…", "example.com")
    return value


@pytest.mark.parametrize(("method", "address", "body", "is_form"), EXAMPLES)
def test_it_does_what_it_says(callers: dict[str, Caller], there, settings, tmp_path, method, address, body, is_form):
    settings.MEDIA_ROOT = tmp_path
    client = callers["owner"].client
    path = address.replace("{key}", there["key"])
    if is_form:
        files = {"file": SimpleUploadedFile("pier.jpg", picture(), "image/jpeg")}
        answer = client.post(path, {**body, **files})
    else:
        answer = client.generic(method, path, json.dumps(_filled(body, there)), "application/json")
    assert 200 <= answer.status_code < 300, answer.content.decode()
    described.checked(method.lower(), answer)


def picture() -> bytes:
    made = BytesIO()
    Image.new("RGB", (40, 30), "navy").save(made, "JPEG")
    return made.getvalue()
