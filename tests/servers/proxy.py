"""A small proxy in front of a real HTTP server: it passes everything on, and can answer in its place or swallow an answer."""

from __future__ import annotations

import http.client
from urllib.parse import urlencode, urlsplit

from tests.servers.double import Answer, Double, Request

_OWN = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


class Proxy(Double):
    """`next`, `drop`, `drops` and `misbehaves` are those of `Double`: a dropped request was carried out by the real server."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        super().__init__()

    def answer(self, request: Request) -> Answer:
        link = http.client.HTTPConnection(self.target.hostname or "", self.target.port, timeout=20)
        path = request.path + (f"?{urlencode(request.query)}" if request.query else "")
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
        headers["Host"] = self.target.netloc
        try:
            link.request(request.method, path, body=request.body or None, headers=headers)
            found = link.getresponse()
            kept = {name: value for name, value in found.getheaders() if name.lower() not in _OWN}
            return Answer(found.status, found.read(), kept)
        finally:
            link.close()
