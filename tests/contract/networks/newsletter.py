"""A real mail server. A newsletter's posts are counted as what the luckiest recipient got: two would be a doubled mail."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from platforms.adapters.newsletter.adapter import NewsletterAdapter
from tests.conftest import NOW
from tests.contract.networks import Network
from tests.people import make_account
from tests.servers import real

SKIP = real.missing("smtp_aiosmtpd")


def network(request: Any) -> Network:
    from platforms.services.publishing import account_ref
    from tests.servers import smtp

    server = smtp.running()
    row = make_account(
        request.getfixturevalue("workspace"),
        NOW,
        platform="newsletter",
        options=server.options(),
        credentials=server.credentials,
    )
    account = account_ref(row)
    before = {mail["Message-ID"] for mail in server.mails()}

    def posts(publication: Any) -> int:
        fresh = [mail for mail in server.mails(publication.text) if mail["Message-ID"] not in before]
        return max(Counter(mail["X-RcptTo"] for mail in fresh).values(), default=0)

    found = Network(
        adapter=NewsletterAdapter(),
        account=account,
        posts=posts,
        misbehave=lambda kind: None,
        words={"title": "Guten Morgen"},
        unreachable=replace(account, options={**account.options, "port": 1}),
        kinds=("rejected", "auth"),  # SMTP has no answer that names a time to wait
    )

    def misbehave(kind: str) -> None:
        changed = {
            "rejected": replace(account, options=server.options("reject@example.com")),
            "auth": replace(account, credentials={"password": "not-the-password"}),
            "unknown": replace(account, options=server.options("hangup@example.com", "reader@example.com")),
        }
        found.account = changed[kind]

    found.misbehave = misbehave
    return found
