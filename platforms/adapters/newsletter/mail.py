"""SMTP as a client, with a deadline on every step and a clear line between "not sent" and "nobody can tell".

Sources: RFC 5321 (SMTP), 3207 (STARTTLS), 4954 (AUTH), 4616 (PLAIN), 1870 (SIZE). It connects to the very address that was judged
(`core.addresses.Allowed`, OUTBOUND_ALLOW), as `core.http` does; the TLS name stays the host's. smtplib has no deadline for a whole
call (a drip of bytes stretches its time-outs), and sends the end of a mail in one piece with its body, so that a break in
between tells nothing.
"""

from __future__ import annotations

import base64
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from alwrity_scheduler.core.addresses import Allowed
from platforms.errors import AuthFailed, PlatformError, Rejected, Unavailable, clean

Security = Literal["starttls", "tls", "none"]
State = Literal["sent", "refused", "retry", "unsure", "skipped"]
_LONGEST_LINE = 4_096
_MOST_LINES = 100
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where mail is handed in. `authority`: a certificate (PEM) to trust besides the system's; `allow`: OUTBOUND_ALLOW."""

    host: str
    port: int
    security: Security = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    authority: str = ""
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one mail. unsure: the server may have it. retry: it said no for now. skipped: it is somebody else's."""

    state: State
    reply: str = ""


class Broken(Exception):
    """The connection is of no more use: closed, reset, or the time is over."""


class Session:
    """One connection, signed in. Use `opened`; close it with `close`."""

    def __init__(self, link: socket.socket, server: Server, until: float) -> None:
        self._link = link
        self._server = server
        self._until = until
        self._buffer = b""
        self._offers: dict[str, str] = {}
        self.is_broken = False

    @property
    def largest(self) -> int:
        """The largest mail the server takes, in bytes; 0 when it does not say."""
        said = self._offers.get("SIZE", "")
        return int(said) if said.isdecimal() else 0

    def deliver(self, sender: str, address: str, message: bytes, *, claim: Callable[[], bool]) -> Delivery:
        """Hand in one mail for one recipient. `claim` is asked right before the mail itself, after the server has taken sender and
        recipient; when it says no, nothing is sent. `message` with CRLF line ends.

        Raises one of the five errors for what concerns every recipient (sign-in, sender), and Broken when the connection failed
        before anything was sent; the mail is then certainly not with the server.
        """
        size = f" SIZE={len(message)}" if "SIZE" in self._offers else ""
        reply = self._command(f"MAIL FROM:<{sender}>{size}")
        if reply.code != 250:
            raise _about_sender(reply)
        reply = self._command(f"RCPT TO:<{address}>")
        if reply.code in (530, 535):
            raise _about_sender(reply)
        if reply.code not in (250, 251, 252):
            return self._unwanted(reply)
        if not claim():
            self._reset()
            return Delivery("skipped")
        try:
            reply = self._command("DATA")
            if reply.code != 354:
                return self._unwanted(reply)
            self._send(_stuffed(message))
        except Broken as error:
            # without the line that ends it, a server must not take a mail (RFC 5321 section 4.1.1.4)
            self.is_broken = True
            return Delivery("retry", str(error))
        try:
            self._send(b".\r\n")
            reply = self._reply()
        except Broken as error:
            self.is_broken = True
            return Delivery("unsure", f"The server had the mail and gave no answer: {error}")
        if reply.code == 250:
            return Delivery("sent", str(reply))
        self.is_broken = reply.code == 421
        return Delivery("refused" if reply.code >= 500 else "retry", str(reply))

    def noop(self) -> None:
        self._command("NOOP")

    def close(self) -> None:
        """Say goodbye without waiting for it."""
        try:
            if not self.is_broken:
                self._send(b"QUIT\r\n")
        except Broken:
            pass
        finally:
            self._link.close()

    def begin(self) -> None:
        """From the greeting to the sign-in. Raises one of the five errors, never UnknownOutcome."""
        try:
            self._begin()
        except Broken as error:
            raise Unavailable(f"The mail server did not finish the greeting, so nothing was sent. {error}") from error

    def _begin(self) -> None:
        if self._server.security == "tls":
            self._encrypt()
        greeting = self._reply()
        if greeting.code != 220:
            raise Unavailable("The mail server does not take mail now.", platform_message=str(greeting))
        self._hello()
        if self._server.security == "starttls":
            if "STARTTLS" not in self._offers:
                raise AuthFailed("The mail server does not offer STARTTLS. Choose TLS from the start, or another port.")
            reply = self._command("STARTTLS")
            if reply.code != 220:
                raise Unavailable("The mail server refused STARTTLS.", platform_message=str(reply))
            if self._buffer:
                raise Unavailable("Something was put between the mail server and us before STARTTLS.")
            self._encrypt()
            self._hello()
        if self._server.username:
            self._sign_in()

    def _hello(self) -> None:
        address = self._link.getsockname()[0]
        name = f"[{address}]" if self._link.family == socket.AF_INET else f"[IPv6:{address.partition('%')[0]}]"
        reply = self._command(f"EHLO {name}")
        if reply.code != 250:
            raise Unavailable("The mail server does not speak ESMTP.", platform_message=str(reply))
        self._offers = {}
        for line in reply.text.split("\n")[1:]:
            word, _, rest = line.replace("AUTH=", "AUTH ", 1).partition(" ")
            self._offers[word.upper()] = f"{self._offers.get(word.upper(), '')} {rest}".strip()

    def _sign_in(self) -> None:
        offered = self._offers.get("AUTH", "").upper().split()
        name, password = self._server.username, self._server.password
        if "PLAIN" in offered:
            reply = self._command("AUTH PLAIN " + _base64(f"\0{name}\0{password}"))
        elif "LOGIN" in offered:
            reply = self._command("AUTH LOGIN")
            for part in (name, password):
                if reply.code == 334:
                    reply = self._command(_base64(part))
        else:
            raise AuthFailed(
                "The mail server offers no sign-in by password here. Choose TLS, or leave the user name empty."
            )
        if reply.code == 235:
            return
        if 400 <= reply.code < 500:
            raise Unavailable("The mail server cannot check the password now.", platform_message=str(reply))
        raise AuthFailed(
            "The mail server does not accept the user name and password.",
            status_code=reply.code,
            platform_message=str(reply),
        )

    def _encrypt(self) -> None:
        context = context_of(self._server.authority)
        try:
            self._link.settimeout(self._left())
            self._link = context.wrap_socket(self._link, server_hostname=self._server.host)
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(
                f"The mail server's certificate is not trusted ({error.verify_message}). If it is its own, add it to the settings.",
            ) from error
        except (OSError, ValueError) as error:
            raise Unavailable(f"No encrypted connection to the mail server came about ({error}).") from error

    def _unwanted(self, reply: Reply) -> Delivery:
        """The recipient, or the mail before its body, was refused: for good (5xx) or for now."""
        if reply.code == 421:
            self.is_broken = True
        else:
            self._reset()
        return Delivery("refused" if reply.code >= 500 else "retry", str(reply))

    def _reset(self) -> None:
        try:
            self._command("RSET")
        except Broken:
            self.is_broken = True

    def _command(self, line: str) -> Reply:
        self._send(line.encode("ascii", "replace") + b"\r\n")
        return self._reply()

    def _send(self, data: bytes) -> None:
        try:
            for start in range(0, len(data), _PIECE):
                self._link.settimeout(self._left())
                self._link.sendall(data[start : start + _PIECE])
        except (OSError, ValueError) as error:
            self._fail(error)

    def _reply(self) -> Reply:
        lines: list[str] = []
        code = ""
        while len(lines) < _MOST_LINES:
            line = self._line()
            code = line[:3]
            if not (code.isdecimal() and len(code) == 3):
                self._fail(ValueError("an answer that is none of SMTP"))
            lines.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(code), clean("\n".join(lines)))
        return self._fail(ValueError("an answer without end"))

    def _line(self) -> str:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_LINE:
                self._fail(ValueError("a line without end"))
            try:
                self._link.settimeout(self._left())
                data = self._link.recv(_LONGEST_LINE)
            except (OSError, ValueError) as error:
                self._fail(error)
            if not data:
                self._fail(ConnectionError("the server closed the connection"))
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this call is over")
        return left

    def _fail(self, error: Exception) -> NoReturn:
        self.is_broken = True
        raise Broken(clean(str(error) or type(error).__name__)) from error


def opened(server: Server, until: float) -> Session:
    """A connection that is signed in, or one of the five errors, never UnknownOutcome. `until`: monotonic seconds."""
    link = _connected(server, until)
    session = Session(link, server, until)
    try:
        session.begin()
    except BaseException:
        session.is_broken = True
        session.close()
        raise
    return session


def context_of(authority: str) -> ssl.SSLContext:
    """What certificates are judged by. Raises ssl.SSLError when `authority` is no certificate."""
    context = ssl.create_default_context()
    if authority.strip():
        context.load_verify_locations(cadata=authority)
    return context


def _connected(server: Server, until: float) -> socket.socket:
    allowed = Allowed.of(server.allow)
    addresses = _resolved(server.host, server.port, until)
    usable = [found for found in addresses if allowed.is_allowed(server.host, found)]
    if not usable:
        raise Rejected(
            f"{server.host} is {', '.join(addresses[:3])}, an address of a private network. If that is meant, name the host or its "
            "network in OUTBOUND_ALLOW."
        )
    reason = ""
    for address in usable[:4]:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            link = socket.create_connection((address, server.port), timeout=left)
        except OSError as error:
            reason = str(error)
            continue
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link
    raise Unavailable(f"Nothing was sent. No connection to {server.host}:{server.port} ({reason or 'no time left'}).")


def _resolved(host: str, port: int, until: float) -> list[str]:
    """The addresses of a name. The resolver cannot be interrupted, so it works in a thread that is left behind when time is up."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look, name="newsletter-dns", daemon=True).start()
    try:
        found = answers.get(timeout=max(0.0, until - time.monotonic()))
    except queue.Empty:
        raise Unavailable(f"Nothing was sent. The name {host} was not resolved in time.") from None
    if isinstance(found, Exception):
        raise Unavailable(f"Nothing was sent. The name {host} cannot be resolved ({found}).")
    return found


def _about_sender(reply: Reply) -> PlatformError:
    """A refusal that concerns every recipient."""
    words = {"status_code": reply.code, "platform_message": str(reply)}
    if reply.code in (530, 534, 535, 538):
        return AuthFailed("The mail server wants a sign-in that it accepts.", **words)  # type: ignore[arg-type]
    if reply.code == 552:
        return Rejected("The newsletter is larger than the mail server takes.", **words)  # type: ignore[arg-type]
    if reply.code >= 500:
        return Rejected("The mail server does not take mail from this sender.", **words)  # type: ignore[arg-type]
    return Unavailable("The mail server takes no mail now.", **words)  # type: ignore[arg-type]


def _stuffed(message: bytes) -> bytes:
    """The mail as DATA wants it: lines that begin with a dot get another, and the last line has its end."""
    body = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in message.split(b"\r\n"))
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def listed(items: Iterable[str], most: int = 20) -> str:
    """At most so many of them, and how many more there are."""
    whole = list(items)
    more = f" and {len(whole) - most} more" if len(whole) > most else ""
    return "; ".join(whole[:most]) + more
