"""A file from an address: what is fetched, from where not, and how each failure is told. The server is real and on this machine."""

from __future__ import annotations

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from alwrity_scheduler.core.errors import Refused
from platforms.models import MediaAsset
from platforms.services import fetching


def picture():
    target = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(target, "PNG")
    return target.getvalue()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, tail = self.path.partition("?")
        if path == "/to":
            self.answer(302, b"", Location=tail)
        elif path.startswith("/again"):
            self.answer(301, b"", Location=f"/again{int(path[6:]) - 1}" if path != "/again0" else "/pier.png")
        elif path == "/nowhere":
            self.answer(302, b"")
        elif path == "/gone":
            self.answer(404, b"no")
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(bytes(64 * 1024))
            except OSError:
                return
        elif path == "/page":
            self.answer(200, b"<html><script>alert(1)</script></html>", **{"Content-Type": "image/png"})
        elif path == "/packed":
            self.answer(200, picture(), **{"Content-Encoding": "gzip"})
        else:
            self.answer(200, picture(), **{"Content-Type": "text/html"})

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def web():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(workspace, actor, now, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    return lambda url, **values: fetching.store_from_url(workspace=workspace, url=url, actor=actor, now=now, **values)


def code(fetch, url):
    with pytest.raises(Refused) as caught:
        fetch(url)
    (problem,) = caught.value.problems
    assert problem.field == "url"
    return problem.code


def test_what_it_is_is_read_from_the_content(fetch, web):
    asset = fetch(f" {web}/a%20pier.png?x=1 ", alt_text="Teal")
    assert (asset.mime, asset.original_name, asset.alt_text, asset.width) == ("image/png", "a pier.png", "Teal", 40)


def test_three_redirects_are_followed_and_no_more(fetch, web):
    assert fetch(f"{web}/again2").original_name == "pier.png"
    assert code(fetch, f"{web}/again3") == "redirect"
    assert code(fetch, f"{web}/nowhere") == "redirect"


def test_a_redirect_into_a_private_network_is_not_followed(fetch, web, monkeypatch):
    for inside in (
        "http://127.0.0.2/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x",
        "http://10.0.0.1/x",
    ):
        assert code(fetch, f"{web}/to?{inside}") == "address", inside
    assert code(fetch, f"{web}/to?file:///etc/passwd") == "unreachable"
    assert not MediaAsset.objects.exists()


def test_private_addresses_are_refused_at_once(fetch, web, settings):
    settings.OUTBOUND_ALLOW = []
    assert code(fetch, f"{web}/pier.png") == "address"


def test_an_answer_without_end_is_cut(fetch, web, settings):
    settings.MEDIA_MAX_BYTES = 300_000
    assert code(fetch, f"{web}/endless") == "too_large"
    target = io.BytesIO()
    with pytest.raises(Refused):
        fetching.fetch(f"{web}/endless", target)
    assert 300_000 < target.tell() < 600_000  # no more was read than it takes to know


@pytest.mark.parametrize(
    ("path", "expected"), [("/gone", "status"), ("/page", "media_type"), ("/packed", "unreachable")]
)
def test_failures_are_told_at_the_address(fetch, web, path, expected):
    assert code(fetch, web + path) == expected
    assert not MediaAsset.objects.exists()


def test_the_time_is_over_for_all_steps_together(fetch, web, monkeypatch):
    moments = iter([0.0, 1.0, fetching.SECONDS + 1])
    monkeypatch.setattr(fetching.clock, "monotonic", lambda: next(moments))
    assert code(fetch, f"{web}/again2") == "timeout"
