"""The real mail server (aiosmtpd) and its mailbox. All its tests are of the xdist group `network-newsletter`."""

from __future__ import annotations

import email
import functools
import mailbox
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.servers import real

GROUP = "network-newsletter"


class MailServer:
    def __init__(self) -> None:
        self.server = real.start("smtp_aiosmtpd")
        self.certificate = Path(self.server["cafile"]).read_text()

    def options(self, *recipients: str, **more: Any) -> dict[str, Any]:
        """What an account there needs; by default for one reader."""
        return {
            "host": self.server["host"],
            "port": self.server["port"],
            "security": "starttls",
            "username": self.server["username"],
            "from_address": "news@example.com",
            "from_name": "Die Röster",
            "recipients": "\n".join(recipients or ["reader@example.com"]),
            "unsubscribe": "https://example.com/leave?who={email}",
            "ca_certificate": self.certificate,
            **more,
        }

    @property
    def credentials(self) -> dict[str, str]:
        return {"password": self.server["password"]}

    def mails(self, words: str = "") -> list[EmailMessage]:
        """The mails whose text holds these words, in any order."""
        box = mailbox.Maildir(self.server["maildir"], create=False)
        found = [email.message_from_bytes(box.get_bytes(key), policy=policy.default) for key in box.iterkeys()]
        return [mail for mail in found if words in plain(mail)]  # type: ignore[arg-type,misc]

    def reached(self, words: str) -> list[str]:
        """Whom mails with these words reached, one entry a mail, sorted."""
        return sorted(str(mail["X-RcptTo"]) for mail in self.mails(words))


def plain(mail: Any) -> str:
    body = mail.get_body(("plain",))
    return body.get_content() if body is not None else ""


@functools.lru_cache
def running() -> MailServer:
    return MailServer()
