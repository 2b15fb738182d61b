"""The house's own screenshots: `uv run python -m tests.screenshots [folder] [--only today,jobs] [--lang ar]`.

Starts an installation of its own with the scenery of tests/scenery.py at a fixed time, a server and Chromium, and takes every page
at 1440 and 390 px, light and dark. Writes PNGs and an index.html into the folder (test-output/screenshots). Chromium: CHROMIUM.
"""

from __future__ import annotations

import argparse
import base64
import html
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.installation import Installation

ROOT = Path(__file__).resolve().parent.parent
# a Wednesday in the middle of a month, before noon in Berlin
NOW = datetime(2026, 11, 18, 9, 40, tzinfo=UTC)
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
HIGHEST = 6000
THEMES = ("light", "dark")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@dataclass(frozen=True, slots=True)
class Page:
    """A URL name and what it is reversed with: the `public_id` of a thing of the scenery, `#thing` for its number, `$thing` for
    what it is itself, `=word` for this word. asked: a thing of the scenery that is the query. Without a session where `is_outside`.
    A page whose name does not exist is passed over."""

    name: str
    url_name: str
    thing: str = ""
    query: str = ""
    asked: str = ""
    is_outside: bool = False


PAGES = (
    Page("sign-in", "login", is_outside=True),
    Page("security", "web:settings_section", "=security"),
    Page("second-step", "mfa_index"),
    Page("sessions", "usersessions_list"),
    Page("e-mail-addresses", "account_email"),
    Page("today", "web:today"),
    Page("calendar-day", "web:calendar", query="?view=day"),
    Page("calendar-week", "web:calendar", query="?view=week"),
    Page("calendar-month", "web:calendar", query="?view=month"),
    Page("calendar-year", "web:calendar", query="?view=year"),
    Page("timeline", "web:timeline"),
    Page("milestone-new", "web:milestone_new"),
    Page("list", "web:schedules"),
    Page("list-nothing-found", "web:schedules", query="?q=nothing+is+called+this"),
    Page("schedule", "web:schedule", "recurring"),
    Page("composer-new", "web:schedule_new"),
    Page("preflight", "web:schedule_preflight", "draft"),
    Page("dependencies", "web:schedule_dependencies", "draft"),
    Page("composer-edit", "web:schedule_edit", "draft"),
    Page("drafts", "web:drafts"),
    Page("library", "web:library"),
    Page("jobs", "web:jobs"),
    Page("job", "web:job", "failed"),
    Page("recovery", "web:recovery"),
    Page("jobs-executions", "web:jobs_runs"),
    Page("jobs-by-schedule", "web:jobs_schedules"),
    Page("review", "web:reviews"),
    Page("review-of-a-post", "web:review", "in_review"),
    Page("review-rules", "web:review_policies"),
    Page("review-from-outside", "outside_review", "$outside", is_outside=True),
    Page("media", "web:media"),
    Page("media-file", "web:media_asset", "asset"),
    Page("notifications", "web:notifications"),
    Page("accounts", "web:accounts"),
    Page("account", "web:account", "account"),
    Page("account-choose", "web:account_choose"),
    Page("account-connect", "web:account_connect", "=mastodon"),
    Page("account-times", "web:account_times", "account"),
    Page("account-apps", "web:account_apps"),
    Page("account-groups", "web:account_groups"),
    Page("settings", "web:settings"),
    Page("settings-notifications", "web:settings_section", "=notifications"),
    Page("settings-language", "web:settings_section", "=language"),
    Page("settings-look", "web:settings_section", "=look"),
    Page("settings-apps", "web:settings_section", "=apps"),
    Page("settings-integrations", "web:settings_section", "=integrations"),
    Page("team", "web:team"),
    Page("hooks", "web:hooks"),
    Page("hook", "web:hook", "hook"),
    Page("tokens", "web:tokens"),
    Page("member", "web:member", "$writer"),
    Page("joining", "join", "$invitation", is_outside=True),
    Page("token", "web:token", "token"),
    Page("apps", "web:apps"),
    Page("app", "web:app", "app"),
    Page("consent", "oauth_authorize", asked="asked"),
    Page("webhooks", "web:webhooks"),
    Page("webhook", "web:webhook", "webhook"),
    Page("webhook-new", "web:webhook_new"),
    Page("webhook-delivery", "web:webhook_delivery", "delivery"),
    Page("security-log", "web:security"),
    Page("engine", "web:engine"),
    Page("graphql", "graphql:endpoint"),
    Page("api-docs", "api:docs"),
    Page("api-redoc", "api:redoc"),
    Page("first-run", "web:first_run"),
    Page("admin", "admin:index"),
    Page("admin-list", "admin:schedules_schedule_changelist"),
    Page("admin-form", "admin:schedules_schedule_change", "#recurring"),
)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Take the product's screenshots.")
    parser.add_argument("folder", nargs="?", default=str(ROOT / "test-output" / "screenshots"))
    parser.add_argument("--only", default="", help="names of pages, separated by commas")
    parser.add_argument("--lang", default="en", help="the language of the pages")
    parser.add_argument("--width", choices=list(WIDTHS), help="only this one")
    parser.add_argument("--theme", choices=THEMES, help="only this one")
    parser.add_argument("--posts", type=int, default=400, help="about how many posts stand in the month")
    parser.add_argument("--list", action="store_true", help="say which pages there are")
    wanted = parser.parse_args(words)
    only = [name for name in wanted.only.split(",") if name]
    if wanted.list:
        print("\n".join(page.name for page in PAGES))
        return 0
    if unknown := sorted(set(only) - {page.name for page in PAGES}):
        print(f"There is no page {', '.join(unknown)}; --list says which there are.", file=sys.stderr)
        return 2
    pages = [page for page in PAGES if not only or page.name in only]
    widths = [wanted.width] if wanted.width else list(WIDTHS)
    themes = [wanted.theme] if wanted.theme else list(THEMES)
    folder = Path(wanted.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="alwrity-screenshots-") as data,
        _installation(Path(data), wanted.lang, wanted.posts) as stand,
    ):
        taken = list(_take(stand, pages, widths, themes, wanted.lang, folder))
    if not only:
        (folder / "index.html").write_text(_index(taken, wanted.lang), encoding="utf-8")
    print(f"{len(taken)} pictures in {folder}")
    return 0 if taken else 1


@dataclass(frozen=True, slots=True)
class Stand:
    """A server that answers at `url`, the session of a signed-in person, and what there is to look at."""

    url: str
    session: str
    scenery: Any


@contextmanager
def _installation(data: Path, language: str, posts: int) -> Iterator[Stand]:
    """A data folder, a migrated database, the scenery, and a server in a thread; the product's clock stands at NOW."""
    os.environ.update(
        ALWRITY_DATA_DIR=str(data),
        DATABASE_URL=f"sqlite:///{data / 'db.sqlite3'}",
        DJANGO_SETTINGS_MODULE="alwrity_scheduler.settings",
        SECRET_KEY="a key for screenshots, which is long enough for Django to take it",
        ENCRYPTION_KEYS=base64.urlsafe_b64encode(bytes(32)).decode(),
        LOG_LEVEL="ERROR",
        STREAM_MOST="0",  # a page with a stream never comes to rest
    )
    Installation(data).migrate()
    (data / "static").mkdir()  # whitenoise warns about a folder that is not there; files are found in place
    import django

    django.setup()
    import waitress
    from django.db import connections

    from alwrity_scheduler.core import clock
    from alwrity_scheduler.wsgi import application
    from tests import scenery

    clock.now = lambda: NOW
    made = scenery.make(NOW, a_month=posts)
    if language != "en":
        type(made.owner).objects.filter(pk=made.owner.pk).update(language=language)
    session = _signed_in(made.owner)
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=8, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield Stand(f"http://127.0.0.1:{server.effective_port}", session, made)
    finally:
        server.close()
        thread.join(5)
        connections.close_all()


def _signed_in(person: Any) -> str:
    from django.test import Client

    client = Client()
    client.force_login(person)
    return str(client.cookies["sessionid"].value)


def _address(page: Page, made: Any) -> str | None:
    """None where the product has no such page."""
    from django.urls import NoReverseMatch, reverse

    try:
        address = reverse(page.url_name, args=_arguments(page.thing, made)) + page.query
    except NoReverseMatch:
        return None
    return f"{address}?{getattr(made, page.asked)}" if page.asked else address


def _arguments(thing: str, made: Any) -> list[Any]:
    if not thing:
        return []
    if thing.startswith("="):
        return [thing[1:]]
    if thing.startswith("$"):
        return [str(getattr(made, thing[1:]))]
    if thing.startswith("#"):
        return [getattr(made, thing[1:]).pk]
    return [(made.accounts[0] if thing == "account" else getattr(made, thing)).public_id]


def _take(
    stand: Stand, pages: Sequence[Page], widths: Sequence[str], themes: Sequence[str], language: str, folder: Path
) -> Iterator[tuple[str, str, str, str]]:
    """Yields (page, width, theme, file name) of each picture."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for width in widths:
            for theme in themes:
                context = _context(browser, stand, width, theme, language)
                sheet = context.new_page()
                sheet.clock.set_fixed_time(NOW)
                for page in pages:
                    address = _address(page, stand.scenery)
                    if address is None:
                        print(f"passed over: {page.name} ({page.url_name} does not exist)")
                        continue
                    name = f"{page.name}-{width}-{theme}{'' if language == 'en' else '-' + language}.png"
                    _one(context, sheet, stand, page, address, folder / name)
                    yield page.name, width, theme, name
                context.close()
        browser.close()


def _context(browser: Any, stand: Stand, width: str, theme: str, language: str) -> Any:
    wide, high = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high}, color_scheme=theme, reduced_motion="reduce", locale=language,
        base_url=stand.url, has_touch=width == "phone", is_mobile=width == "phone",
    )  # fmt: skip
    _sign_in(context, stand)
    return context


def _sign_in(context: Any, stand: Stand) -> None:
    context.add_cookies([{"name": "sessionid", "value": stand.session, "url": stand.url}])


def _one(context: Any, sheet: Any, stand: Stand, page: Page, address: str, file: Path) -> None:
    if page.is_outside:
        context.clear_cookies(name="sessionid")
    wide, high = sheet.viewport_size["width"], sheet.viewport_size["height"]
    answer = sheet.goto(address, wait_until="networkidle")
    if answer is not None and answer.status >= 400:
        print(f"{page.name}: the page answered {answer.status}")
    # as high as the page, so that what is fixed to the window's edges stands at those of the picture
    whole = min(int(sheet.evaluate("document.documentElement.scrollHeight")), HIGHEST)
    sheet.set_viewport_size({"width": wide, "height": max(high, whole)})
    sheet.screenshot(path=file, animations="disabled")
    sheet.set_viewport_size({"width": wide, "height": high})
    if page.is_outside:
        _sign_in(context, stand)


def _index(taken: Sequence[tuple[str, str, str, str]], language: str) -> str:
    """All pictures on one page, a row for each page of the product."""
    rows: dict[str, list[str]] = {}
    for page, width, theme, name in taken:
        words = html.escape(f"{page}, {width}, {theme}")
        rows.setdefault(page, []).append(
            f'<a href="{name}"><img src="{name}" alt="{words}" class="{width}" loading="lazy"><br>{width}, {theme}</a>'
        )
    body = "".join(f"<h2>{html.escape(page)}</h2><p>{''.join(cells)}</p>" for page, cells in rows.items())
    style = (
        "body{font:14px system-ui;margin:24px;background:#eee}p{display:flex;gap:16px;align-items:flex-start;flex-wrap:wrap}"
        "img{border:1px solid #999;max-height:520px;object-fit:cover;object-position:top}.desktop{width:560px}.phone{width:190px}"
    )
    title = f"Screenshots ({html.escape(language)})"
    return f'<!DOCTYPE html><meta charset="utf-8"><title>{title}</title><style>{style}</style><h1>{title}</h1>{body}'


if __name__ == "__main__":
    sys.exit(main())
