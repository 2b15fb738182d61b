"""A platform that cannot run here, as a thread: routes written from its documentation, and ways to misbehave.

A platform's double subclasses `Double`, gives its routes by `@route("POST", "/2/tweets")` (`{name}` in a path matches one
segment) and keeps what was made in its own attributes. It is written from the platform's documentation, whose address stands in
the subclass's docstring; what the adapter sends is not to be bent to what the double takes.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Request:
    """One request as it came in. `query` and `form()` hold the last value of each name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def multipart(self) -> dict[str, tuple[str, bytes]]:
        """Field name -> (file name, bytes) of a multipart/form-data body."""
        from email.parser import BytesParser

        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        found = {}
        for part in BytesParser().parsebytes(head + self.body).get_payload():
            name = part.get_param("name", header="content-disposition")
            found[str(name)] = (part.get_filename() or "", part.get_payload(decode=True))
        return found


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    def mark(function: Handler) -> Handler:
        function.routes = [*getattr(function, "routes", []), (method, path)]  # type: ignore[attr-defined]
        return function

    return mark


class Double:
    """`requests`: everything that came in. `next`: answers that are given instead, before anything is done. `drop`: how many of
    the next requests (those that `drops` matches) are carried out and then not answered: the connection is closed."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.next: list[Answer] = []
        self.drop = 0
        self.drops: Callable[[Request], bool] = lambda request: request.method != "GET"
        self.misbehaves: Callable[[Request], bool] = lambda request: True
        self.lock = threading.Lock()
        self._routes = [
            (method, re.compile("^" + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path) + "$"), getattr(self, name))
            for name in dir(type(self))
            for method, path in getattr(getattr(type(self), name), "routes", [])
        ]
        double = self

        class Server(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = (
                True  # head and body are two writes; the second would wait 40 ms for the first's ACK
            )

            def log_message(self, *_: Any) -> None:
                pass

            def _serve(self) -> None:
                double._serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815 - http.server's names

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Answer:
        """What the platform does with a request; subclasses may wrap it, for a check of the sign-in, say."""
        for method, pattern, function in self._routes:
            found = pattern.match(request.path)
            if method == request.method and found:
                made = function(request, **found.groupdict())
                return made if isinstance(made, Answer) else Answer(body=made)
        return Answer(404, {"error": f"no {request.method} {request.path} in this double"})

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("Content-Length") or 0)
        if "chunked" in (handler.headers.get("Transfer-Encoding") or ""):
            raise AssertionError("a body without a Content-Length: many platforms refuse it")
        parts = urlsplit(handler.path)
        request = Request(
            handler.command,
            parts.path,
            {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
            {name.lower(): value for name, value in handler.headers.items()},
            handler.rfile.read(size),
        )
        with self.lock:
            self.requests.append(request)
            if self.next and self.misbehaves(request):
                answer = self.next.pop(0)
            else:
                answer = self.answer(request)
            dropped = self.drop > 0 and self.drops(request)
            self.drop -= dropped
        if dropped:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        raw = (
            answer.body
            if isinstance(answer.body, bytes)
            else b""
            if answer.body is None
            else json.dumps(answer.body).encode()
        )
        handler.send_response(answer.status)
        headers = {"Content-Type": "application/json", **answer.headers, "Content-Length": str(len(raw))}
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(raw)


@contextmanager
def running(double: Double) -> Iterator[Any]:
    try:
        yield double
    finally:
        double.stop()
