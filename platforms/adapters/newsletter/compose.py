"""From a publication to the mails of a newsletter: one for each recipient, with the headers of a good list. Pure, but for the
files it reads.

Sources: RFC 5322 (messages), 2387 (related), 2919 (List-Id), 2369 and 8058 (List-Unsubscribe, one click).
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlsplit

from platforms.adapters.newsletter.recipients import Recipient
from platforms.contracts import AccountRef, MediaRef, Publication
from platforms.errors import Rejected
from platforms.text import markup, slugs

_POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)
_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body style="margin:0;padding:16px;font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;color:#1f2328">
{preheader}<div style="max-width:600px;margin:0 auto">
{body}
<hr style="border:0;border-top:1px solid #d0d7de;margin-top:32px"><div style="font-size:13px;color:#59636e">{footer}</div>
</div></body></html>
"""
_PREHEADER = '<div style="display:none;max-height:0;overflow:hidden">{words}</div>\n'


def subject_of(publication: Publication) -> str:
    return one_line(str(publication.options.get("subject") or "") or publication.title)


def content_of(publication: Publication) -> dict[str, Any]:
    """All that the mails of this publication are made of, as JSON. Raises Rejected when a file cannot be read."""
    account = publication.account
    body = markup.to_html(publication.text, publication.options.get("body_format") or "auto")
    placed, is_linked = markup.placed_numbers(body), account.options.get("images") == "linked"
    addresses, files, rest = {}, [], []
    for number, item in enumerate(publication.media, start=1):
        is_picture = item.mime.startswith("image/")
        if is_picture and is_linked:
            addresses[number] = item.url
        else:
            files.append(_file(item, number, inline=is_picture))
            addresses[number] = f"cid:{number}"
        if is_picture and number not in placed:
            rest.append(f'<p><img src="{html.escape(addresses[number])}" alt="{html.escape(item.alt)}"></p>')
    if publication.link and publication.link not in publication.text:
        address = html.escape(publication.link)
        rest.append(f'<p><a href="{address}">{address}</a></p>')
    whole = "\n".join([_fitting(markup.with_files(body, addresses)), *map(_fitting, rest)])
    return {
        "from_name": one_line(str(account.options.get("from_name") or "")),
        "from_address": str(account.options.get("from_address") or ""),
        "reply_to": str(account.options.get("reply_to") or ""),
        "subject": subject_of(publication),
        "preheader": one_line(str(publication.options.get("preheader") or "")),
        "text": markup.to_text(whole),
        "html": whole,
        "date": publication.scheduled_for.isoformat(),
        "list_id": _list_id(account),
        "unsubscribe": str(account.options.get("unsubscribe") or "").strip(),
        "footer": str(account.options.get("footer") or "").strip(),
        "files": files,
        "key": slugs.short(publication.key, 24),
    }


def message_id(content: Mapping[str, Any], recipient: Recipient) -> str:
    """The same for the same post and recipient, whoever sends it and however often."""
    domain = str(content["from_address"]).rpartition("@")[2]
    return f"<{content['key']}.{slugs.short(recipient.address.lower(), 16)}@{domain}>"


def message(content: Mapping[str, Any], recipient: Recipient) -> bytes:
    """One mail with CRLF line ends, no line longer than RFC 5322 allows, ASCII only."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(content["from_name"], content["from_address"])
    mail["To"] = _address(recipient.name, recipient.address)
    mail["Subject"] = content["subject"]
    mail["Date"] = format_datetime(datetime.fromisoformat(content["date"]))
    mail["Message-ID"] = message_id(content, recipient)
    if content["reply_to"]:
        mail["Reply-To"] = _address("", content["reply_to"])
    mail["List-Id"] = content["list_id"]
    leave = unsubscribe_of(content, recipient)
    mail["List-Unsubscribe"] = f"<{leave}>"
    if leave.startswith("https:"):
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(_text(content, leave))
    mail.add_alternative(_html(content, leave), subtype="html")
    related = mail.get_payload()[1]  # type: ignore[index]
    for file in content["files"]:
        data, (kind, subtype) = base64.b64decode(file["data"]), file["mime"].split("/", 1)
        if file["inline"]:
            related.add_related(  # type: ignore[union-attr]
                data,
                kind,
                subtype,
                cid=f"<{file['number']}.{content['key']}>",
                filename=file["name"],
                disposition="inline",
            )
    for file in content["files"]:
        if not file["inline"]:
            kind, subtype = file["mime"].split("/", 1)
            mail.add_attachment(base64.b64decode(file["data"]), kind, subtype, filename=file["name"])
    return bytes(mail)


def unsubscribe_of(content: Mapping[str, Any], recipient: Recipient) -> str:
    """Where this recipient leaves the list; `{email}` in the account's address is the recipient's own."""
    address = str(content["unsubscribe"])
    if "@" in address and ":" not in address:
        address = f"mailto:{address}"
    if address.startswith("mailto:") and "?" not in address:
        address += "?subject=unsubscribe"
    return address.replace("{email}", quote(recipient.address, safe=""))


def is_unsubscribe(value: str) -> bool:
    """An https address (for one click, RFC 8058), or one of e-mail."""
    parts = urlsplit(value.strip().replace("{email}", "x"))
    if not value.isascii() or any(letter in value for letter in ' <>"'):
        return False
    return (parts.scheme == "https" and bool(parts.hostname)) or (
        parts.scheme in ("mailto", "") and "@" in parts.path and not parts.netloc
    )


def one_line(text: str) -> str:
    """The text without line ends and control characters: nothing in it can become a header of its own."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _text(content: Mapping[str, Any], leave: str) -> str:
    foot = [piece for piece in (content["footer"], f"Unsubscribe: {leave.removeprefix('mailto:')}") if piece]
    return str(content["text"]) + "\n\n-- \n" + "\n".join(foot) + "\n"


def _html(content: Mapping[str, Any], leave: str) -> str:
    footer = html.escape(str(content["footer"])).replace("\n", "<br>\n")
    footer = "<br>\n".join([*([footer] if footer else []), f'<a href="{html.escape(leave)}">Unsubscribe</a>'])
    preheader = _PREHEADER.format(words=html.escape(content["preheader"])) if content["preheader"] else ""
    body = content["html"]
    for file in content["files"]:
        body = body.replace(f'src="cid:{file["number"]}"', f'src="cid:{file["number"]}.{content["key"]}"')
    return _PAGE.format(title=html.escape(content["subject"]), preheader=preheader, body=body, footer=footer)


def _fitting(body: str) -> str:
    """Pictures no wider than the page."""
    return body.replace("<img ", '<img style="max-width:100%;height:auto" ')


def _file(item: MediaRef, number: int, *, inline: bool) -> dict[str, Any]:
    try:
        with open(item.path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise Rejected(f"The file {item.name or number} cannot be read here any more.") from error
    name = one_line(item.name).replace("/", "-") or f"file-{number}"
    return {
        "number": number, "name": name[:100], "mime": item.mime, "inline": inline, "data": base64.b64encode(data).decode(),
    }  # fmt: skip


def _address(name: str, address: str) -> Address:
    return Address(display_name=name, addr_spec=address)


def _list_id(account: AccountRef) -> str:
    domain = str(account.options.get("from_address") or "").rpartition("@")[2]
    said = str(account.options.get("list_id") or "").strip().strip("<>")
    label = slugs.words(account.handle or account.name) or "newsletter"
    return f"<{one_line(said).replace(' ', '') or f'{label}.{domain}'}>"
