"""The one client: what it refuses, and whether it can prove that nothing was sent."""

from __future__ import annotations

import gc
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from alwrity_scheduler.core import http

LOOPBACK = ["127.0.0.1"]
Talk = Callable[[socket.socket], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], str]]:
    """A raw server whose whole conversation is a function; gives its address."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(talk: Talk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        talk(connection)
                    except OSError:
                        pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        threads.append(thread)
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(timeout=2)


def heard(connection: socket.socket) -> bytes:
    """One whole request: a socket closed with unread bytes would reset the connection."""
    data = b""
    while not (data.endswith(b"\r\n\r\nx") or (data.startswith(b"GET") and data.endswith(b"\r\n\r\n"))):
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def saying(answer: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(answer)

    return talk


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(url: str, timeout: float = 2, **values):
    return http.request("POST", url, content=b"x", timeout=timeout, allow=LOOPBACK, **values)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "0.0.0.0",
        "169.254.169.254",
        "10.1.2.3",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "localhost",
        "0",
    ],
)
def test_private_addresses_are_refused_before_anything_is_sent(host):
    with pytest.raises(http.AddressRefused, match="OUTBOUND_ALLOW"):
        http.request("GET", f"http://{host}:9/", timeout=2, allow=())


def test_a_name_is_judged_by_what_it_resolves_to_at_connect_time(monkeypatch, serve):
    url = serve(saying(answer()))
    asked = []

    def resolve(host, port, *args, **kwargs):
        if host != "127.0.0.1":  # a literal address is no question
            asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(http.socket, "getaddrinfo", resolve)
    with pytest.raises(http.AddressRefused):
        http.request("GET", url.replace("127.0.0.1", "rebound.test"), timeout=2, allow=())
    assert asked == ["rebound.test"]  # resolved once: nothing can change between the judgement and the connection
    allowed = http.request("GET", url.replace("127.0.0.1", "rebound.test"), timeout=2, allow=["rebound.test"])
    assert allowed.status == 200


def test_the_host_header_keeps_the_name(monkeypatch, serve):
    said = []

    def talk(connection):
        said.append(heard(connection))
        connection.sendall(answer())

    url = serve(talk)
    port = url.rsplit(":", 1)[1].strip("/")
    monkeypatch.setattr(http.socket, "getaddrinfo", lambda host, port, *a, **k: [(2, 1, 6, "", ("127.0.0.1", port))])
    http.request("GET", f"http://named.test:{port}/", timeout=2, allow=["127.0.0.0/8"])
    assert f"host: named.test:{port}".encode() in said[0].lower()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "http://",
        "//x",
        "http://user:pass@example.com/",
        "http://[::1",
        "file:///etc/passwd",
        "http://127.0.0.1:99999/",
    ],
)
def test_an_address_that_cannot_be_used_was_not_sent(url):
    with pytest.raises(http.NotSent):
        ask(url)


def test_a_refused_connection_and_an_unknown_name_were_not_sent(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(http.NotSent):
        ask(f"http://127.0.0.1:{port}/")

    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(http.socket, "getaddrinfo", unknown)
    with pytest.raises(http.NotSent, match="resolved"):
        ask("http://no.such.test/")


def test_a_broken_header_was_not_sent(serve):
    with pytest.raises(http.NotSent):
        ask(serve(saying(answer())), headers={"X-Evil": "a\r\nInjected: b"})


def test_tls_that_fails_was_not_sent(serve):
    url = serve(lambda connection: connection.sendall(b"this is no TLS\r\n")).replace("http:", "https:")
    with pytest.raises(http.NotSent):
        ask(url)


@pytest.mark.parametrize(
    "talk",
    [
        lambda connection: heard(connection),  # closed without an answer
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
        saying(b"nonsense\r\n\r\n"),
        saying(answer(b"x" * 5000)),  # larger than max_bytes below
        saying(answer(gzip.compress(b"x" * 5000), "200 OK", "Content-Encoding: gzip")),  # only when unpacked
        saying(answer(b"no gzip", "200 OK", "Content-Encoding: gzip")),
    ],
    ids=["closed", "short", "nonsense", "large", "bomb", "garbled"],
)
def test_after_sending_nobody_can_tell(serve, talk):
    with pytest.raises(http.MaybeSent):
        ask(serve(talk), max_bytes=1000)


def test_silence_ends_at_the_deadline(serve):
    done = threading.Event()
    url = serve(lambda connection: (heard(connection), done.wait(2)))
    with pytest.raises(http.MaybeSent):
        ask(url, timeout=0.05)
    done.set()


def test_a_drip_of_bytes_cannot_stretch_the_deadline(serve):
    def drip(connection):
        heard(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.02)

    with pytest.raises(http.MaybeSent):
        ask(serve(drip), timeout=0.1)


@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
def test_an_endless_answer_is_not_read_to_its_end(serve, status):
    sent = []

    def flood(connection):
        heard(connection)
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"x" * 65536)
            sent.append(65536)

    url = serve(flood)
    if status.startswith(b"2"):
        with pytest.raises(http.MaybeSent):
            ask(url, max_bytes=1000)
    else:
        assert ask(url, max_bytes=1000).truncated
    assert sum(sent) < 20_000_000


def test_an_error_answer_is_cut_and_not_refused(serve):
    given = ask(serve(saying(answer(b"x" * 5000, "422 No"))), max_bytes=1000)
    assert (given.status, len(given.body), given.truncated) == (422, 1000, True)


def test_an_answer_is_read_whole(serve):
    body = '{"id": "ä"}'.encode()
    given = ask(serve(saying(answer(gzip.compress(body), "201 Created", "Content-Encoding: gzip", "X-A: b"))))
    assert (given.status, given.json(), given.headers["x-a"], given.truncated) == (201, {"id": "ä"}, "b", False)
    assert http.Response(status=200, headers={}, body=b"<").json() is None


def test_a_redirect_is_not_followed(serve):
    elsewhere = []
    target = serve(lambda connection: elsewhere.append(heard(connection)))
    given = ask(serve(saying(answer(b"", "302 Found", f"Location: {target}"))))
    assert (given.status, elsewhere) == (302, [])


def test_cookies_of_one_answer_do_not_travel_with_the_next_request(serve):
    said = []

    def talk(connection):
        said.append(heard(connection))
        connection.sendall(answer(b"{}", "200 OK", "Set-Cookie: session=of-another-account; Path=/"))

    url = serve(talk)
    ask(url)
    ask(url)
    assert b"cookie" not in said[1].lower()


def test_connections_are_kept_for_a_moment_and_a_closed_one_is_not_used(serve):
    connections, close = [], threading.Event()

    def talk(connection):
        connections.append(connection)
        while b"\r\n\r\n" in heard(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            if close.is_set():
                return

    url = serve(talk)
    ask(url)
    ask(url)
    assert len(connections) == 1
    close.set()
    ask(url)  # the server closes after this answer
    while connections[0].fileno() != -1:
        time.sleep(0.001)
    time.sleep(0.02)  # the number is gone a moment before the connection is
    assert ask(url).status == 200
    assert len(connections) == 2


@pytest.mark.parametrize("extra", ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "\0garbage\r\n\r\n"])
def test_a_second_answer_is_not_taken_for_the_answer_to_the_next_request(serve, extra):
    connections = []

    def talk(connection):
        connections.append(connection)
        while b"\r\n\r\n" in heard(connection):
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{{}}{extra}".encode())

    url = serve(talk)

    assert [ask(url).body, ask(url).body, ask(url).body] == [b"{}", b"{}", b"{}"]
    assert len(connections) == 3


def test_nothing_is_sent_after_the_moment_that_ends_the_work(serve):
    said = []
    url = serve(lambda connection: said.append(heard(connection)))

    with http.ended_by(time.monotonic() - 1), pytest.raises(http.NotSent):
        ask(url)

    assert said == []


def test_the_environment_names_no_proxy(monkeypatch, serve):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    for transport in [
        item for item in gc.get_objects() if type(item) is httpx.HTTPTransport
    ]:  # isinstance would wake lazy objects
        transport.close()  # what earlier tests left open
    http._transport.cache_clear()
    assert ask(serve(saying(answer()))).status == 200
