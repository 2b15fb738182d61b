"""The one way out: every HTTP request of the product leaves through `request`.

It answers the question the engine lives by: was anything sent? `NotSent` is proof that nothing was, `MaybeSent` that
nobody can tell. It refuses addresses of private networks AT CONNECT TIME: a name is resolved once and that very
address is connected to (Host and TLS name stay the name), so a name that changes its mind (DNS rebinding) gains
nothing. Redirects are not followed and proxies of the environment are not used.
"""

from __future__ import annotations

import functools
import json as jsonlib
import math
import os
import socket
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO, Any

import httpcore
import httpx
from django.conf import settings

from alwrity_scheduler.core.addresses import Allowed

MEBIBYTE = 1024 * 1024
# A pooled connection that the server closes just as we write leaves an outcome nobody can tell. Servers close idle
# connections after 2 s (gunicorn), 5 s (Node, uvicorn, Apache) or more, so ours are not used again after 1 s, and a
# closed one is seen (httpcore polls the socket) before it is used.
KEEPALIVE_SECONDS = 1.0
MAX_CONNECTIONS = 200
_PIECE = 64 * 1024
_deadline: ContextVar[float] = ContextVar("deadline")
_latest: ContextVar[float] = ContextVar("latest", default=math.inf)


class OutboundError(Exception):
    """An outgoing request got no whole answer."""


class NotSent(OutboundError):
    """Proof that no byte of the request left: no such name, connection refused, TLS refused, no free connection."""


class AddressRefused(NotSent):
    """The address is private, loopback, link-local, multicast or reserved, and OUTBOUND_ALLOW does not name it."""


class MaybeSent(OutboundError):
    """The request may have arrived: time-out, reset, broken or oversized answer."""


class AnswerTooLarge(MaybeSent):
    """The answer had more bytes than the caller takes, or cannot be decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole answer. Header names are lower-case. `truncated`: the body of an error answer was cut."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool = False

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return jsonlib.loads(self.body)
        except ValueError:
            return None

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    content: bytes | Iterator[bytes] | None = None,
    form: Mapping[str, Any] | None = None,
    files: Any = None,
    timeout: float,
    max_bytes: int = MEBIBYTE,
    allow: Iterable[str] | None = None,
    into: IO[bytes] | None = None,
) -> Response:
    """Send one request and read its whole answer within `timeout` seconds, of at most `max_bytes`.

    into: a file to which the body of an answer of 2xx is written as it comes, so that it is not held in memory; `body` is then
    empty. Packed answers, which were not asked for, are refused there.

    The body is `json`, or `content` (give a Content-Length beside an iterator), or `form` with `files` as httpx takes them: files
    are read while they are sent. `params` join the address's query.

    Raises NotSent or MaybeSent, nothing else. An answer of 400 and above is cut at `max_bytes` instead of refused:
    its status alone says that nothing was accepted. Name resolution is the one step the deadline cannot interrupt;
    it can only be late, never sent.
    """
    deadline = min(time.monotonic() + timeout, _latest.get())
    transport = _transport(os.getpid(), tuple(settings.OUTBOUND_ALLOW if allow is None else allow))
    sent_headers = {
        "Accept-Encoding": "identity",
        "User-Agent": "ALwrity-Content-Scheduler",
        **(headers or {}),
    }
    if json is not None:
        content = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
        sent_headers.setdefault("Content-Type", "application/json")
    try:
        outgoing = httpx.Request(
            method, _checked(url), params=params, headers=sent_headers, content=content, data=form, files=files,
            extensions=_timeouts(timeout),
        )  # fmt: skip
    except (httpx.InvalidURL, UnicodeError, ValueError, TypeError) as error:
        raise NotSent(f"The address {_shown(url)} or a header cannot be used: {error}") from None
    token = _deadline.set(deadline)
    try:
        answer = transport.handle_request(outgoing)
        try:
            return _read(answer, outgoing.url.host, max_bytes, into)
        finally:
            # only now may another request have the connection, and not when more came on it than was asked for
            answer.close()
    except (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.UnsupportedProtocol,
        httpx.LocalProtocolError,
    ) as error:
        if isinstance(error.__cause__, _Refused):
            raise AddressRefused(str(error.__cause__)) from None
        raise NotSent(_sentence(error, outgoing)) from error
    except httpx.HTTPError as error:
        raise MaybeSent(_sentence(error, outgoing)) from error
    finally:
        _deadline.reset(token)


@contextmanager
def ended_by(moment: float) -> Iterator[None]:
    """Inside it, nothing is sent and no answer awaited after `moment` (monotonic seconds), whatever the time-outs say.

    A process that was frozen between the decision to call and the call wakes with its time-out still whole.
    """
    token = _latest.set(moment)
    try:
        yield
    finally:
        _latest.reset(token)


def deadline(timeout: float) -> float:
    """When a call that begins now must be over (monotonic seconds): for calls that are no HTTP and keep the same rule."""
    return min(time.monotonic() + timeout, _latest.get())


def _checked(url: str) -> httpx.URL:
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("it must begin with http:// or https://")
    if parsed.userinfo:
        raise ValueError("it must not hold a user name or password")
    return parsed


def _shown(url: str) -> str:
    """An address for messages: without its query, which may hold secrets."""
    return url.partition("?")[0][:200]


def _sentence(error: Exception, outgoing: httpx.Request) -> str:
    return f"{outgoing.url.host}: {error or type(error).__name__}"


def _read(answer: httpx.Response, host: str, max_bytes: int, into: IO[bytes] | None = None) -> Response:
    is_error = answer.status_code >= 400
    pieces: list[bytes] = []
    to_file = into is not None and answer.is_success
    keep: Callable[[bytes], object] = into.write if into is not None and to_file else pieces.append
    size = 0
    truncated = False
    try:
        # not iter_raw: it gives the connection back before one can look at what else came on it
        for piece in answer.stream:  # type: ignore[union-attr]  # a transport's answer is a stream of bytes
            keep(bytes(piece))
            size += len(piece)
            if size > max_bytes:
                truncated = True
                break
        answer.extensions["network_stream"].answered(size)
    except httpx.HTTPError:
        if not is_error:
            raise
        truncated = True
    encoding = answer.headers.get("content-encoding", "")
    if to_file and encoding.lower() not in ("", "identity"):
        raise MaybeSent(f"{host}: the answer is packed ({encoding}), which was not asked for")
    if to_file:
        body, fits = b"", True
    else:
        body, fits = _plain(b"".join(pieces)[: max_bytes + 1], encoding, max_bytes)
    truncated = truncated or not fits
    if truncated and not is_error:
        raise AnswerTooLarge(f"{host}: the answer is larger than {max_bytes} bytes or cannot be decoded")
    return Response(status=answer.status_code, headers=dict(answer.headers), body=body, truncated=truncated)


def _plain(body: bytes, encoding: str, max_bytes: int) -> tuple[bytes, bool]:
    """(body, whole). Compressed answers were not asked for; gzip and deflate are read all the same, up to the limit."""
    if encoding.lower() in ("", "identity"):
        return body[:max_bytes], len(body) <= max_bytes
    try:
        plain = zlib.decompressobj(47).decompress(body, max_bytes + 1)
    except zlib.error:
        return b"", False
    return plain[:max_bytes], len(plain) <= max_bytes


class _Refused(httpcore.ConnectError):
    """Carries the refusal through httpcore's and httpx's own exceptions."""


class _Stream(httpcore.NetworkStream):
    """A connection on which each step gets what is left until the deadline: a drip of bytes cannot stretch it.

    It also sees whether more came than the answer. A server that answers twice would otherwise have its second answer
    taken for the answer to the next request on the connection, which is another post's.
    """

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._head = bytearray()  # of the answer being read, until its empty line
        self._after = -1  # bytes that came after that line; -1 before it
        self._is_clean = True

    def answered(self, size: int) -> None:
        """The answer's body had `size` bytes on the wire: only if nothing else came may the connection serve again."""
        self._is_clean = self._after == size

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, timeout=_left(httpcore.ReadTimeout))
        if self._after >= 0:
            self._after += len(data)
            return data
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end >= 0:
            self._after = len(self._head) - end - 4
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._head:
            self._head, self._after = bytearray(), -1
        for start in range(0, len(buffer), _PIECE):
            self._inner.write(buffer[start : start + _PIECE], timeout=_left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout=_left(httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and not self._is_clean:
            return True  # the pool asks this before it uses a connection again, and drops one that has something to say
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Resolves, judges and connects, in this order and each once."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _Stream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name cannot be resolved ({error})") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        usable = [address for address in addresses if self._allowed.is_allowed(host, address)]
        if not usable:
            raise _Refused(
                f"{host} is {', '.join(addresses[:3])}, an address of a private network. If that is meant, name the host or "
                "its network in OUTBOUND_ALLOW."
            )
        for number, address in enumerate(usable[:4], start=1):
            try:
                return _Stream(self._plain.connect_tcp(address, port, timeout=_left(httpcore.ConnectTimeout)))
            except httpcore.ConnectError:
                if number == len(usable[:4]):
                    raise
        raise httpcore.ConnectError("no address answered")


def _left(late: type[Exception]) -> float:
    """Seconds until this thread's deadline; raises `late` when there are none."""
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise late("the time for this request is over")
    return left


def _timeouts(seconds: float) -> dict[str, Any]:
    return {"timeout": httpx.Timeout(seconds).as_dict()}


@functools.lru_cache(maxsize=8)
def _transport(pid: int, allow: tuple[str, ...]) -> httpx.HTTPTransport:
    """One pool a process (sockets must not survive a fork) and list of allowed addresses (a connection made under a
    wider list must not serve a narrower one).

    httpx's transport without its Client: no cookies from one account's answer may travel with another's request, and
    redirects, proxies and logging fall away. The transport has no parameter for the network backend, hence `_pool`.
    """
    certificates = httpx.create_ssl_context(trust_env=True)  # SSL_CERT_FILE names an own authority
    transport = httpx.HTTPTransport(verify=certificates, trust_env=False)
    transport._pool = httpcore.ConnectionPool(
        ssl_context=certificates,
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=MAX_CONNECTIONS,
        keepalive_expiry=KEEPALIVE_SECONDS,
        network_backend=_Backend(Allowed.of(allow)),
    )
    return transport
