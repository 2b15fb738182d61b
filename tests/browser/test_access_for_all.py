"""Every page in both themes and both widths: no axe violation, no sideways scroll, nothing on the console."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.urls import reverse

from alwrity_scheduler.core import clock
from platforms.contracts import Grant, Place
from platforms.models import PlatformAccount
from platforms.services import accounts, apps, groups, signin
from tests import engine
from tests.integration.apps.flow import browser_of, register
from tests.people import ACTOR, make_account, make_schedule
from tests.servers.signin import OidcAdapter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-access")]


def axe_source() -> str:
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    return next(Path(package.__file__).parent.rglob("axe.min.js")).read_text()


def addresses(team):
    web = {
        "schedule": team.daily,
        "schedule_edit": team.daily,
        "schedule_split": team.daily,
        "schedule_preflight": team.daily,
        "account": team.account,
    }
    yield from (
        reverse(f"web:{name}")
        for name in (
            "today",
            "schedules",
            "schedule_new",
            "media",
            "jobs",
            "jobs_runs",
            "jobs_schedules",
            "recovery",
            "accounts",
            "account_choose",
            "team",
            "apps",
            "settings",
            "engine",
            "reviews",
            "review_policies",
            "drafts",
            "library",
            "notifications",
            "calendar",
            "timeline",
            "milestone_new",
        )
    )
    yield from (
        reverse("web:settings_section", args=[name])
        for name in ("language", "look", "security", "apps", "integrations")
    )
    program = register(team.people.workspace, clock.now())
    program.tokens(browser_of(team.people.owner), team.people.workspace)
    yield reverse("web:app", args=[program.app.public_id])
    yield f"{reverse('oauth_authorize')}?{urlencode(program.query())}"
    yield from (
        f"{reverse('web:calendar')}?{words}"
        for words in ("select=1", "view=week", "view=day", "view=year", "q=nothing")
    )
    yield reverse("web:calendar_day")
    yield reverse("graphql:endpoint")
    yield reverse("web:content_versions", args=[team.daily.content.public_id])
    yield reverse("web:account_times", args=[team.account.public_id])
    yield from (reverse(f"web:{name}", args=[row.public_id]) for name, row in web.items())
    yield from (reverse("web:job", args=[job.public_id]) for job in team.jobs[:4])
    yield reverse("web:account_connect", args=["http"])
    yield reverse("web:timeline") + f"?zoom=month&by=campaign&picked=j{team.jobs[0].pk}"
    yield reverse("web:schedule_dependencies", args=[team.daily.public_id]) + "?find=later"
    yield reverse("web:jobs") + "?tab=attention"
    yield reverse("web:schedules") + "?q=nothing+is+called+this"
    yield reverse("sandbox:index")
    yield "/app/nothing-here/"
    yield from (
        reverse(name)
        for name in (
            "admin:index",
            "admin:schedules_schedule_changelist",
            "admin:schedules_job_changelist",
            "password_change",
            "account_email",
            "account_reauthenticate",
            "usersessions_list",
            "mfa_index",
            "mfa_list_webauthn",
            "socialaccount_connections",
        )
    )
    yield reverse("admin:schedules_schedule_change", args=[team.daily.pk])
    yield reverse("admin:schedules_job_change", args=[team.jobs[0].pk])


@pytest.fixture
def violations(console):
    source = axe_source()

    def look(page, *rules):
        page.wait_for_timeout(30)  # what the page itself complains of comes before axe
        console.listening = False
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(source)
        only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
        found = page.evaluate("options => axe.run(document, options)", {"resultTypes": ["violations"], **only})[
            "violations"
        ]
        page.wait_for_timeout(30)
        console.listening = True
        return [(item["id"], [node["html"][:120] for node in item["nodes"]][:3]) for item in found]

    return look


SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"
# what scrolls by itself says so
OUT_OF_ITS_CARD = (
    "[...document.querySelectorAll('table.list')]"
    ".filter(table => !['auto', 'scroll'].includes(getComputedStyle(table.parentElement).overflowX))"
    ".map(table => Math.round(table.getBoundingClientRect().right"
    " - table.parentElement.getBoundingClientRect().right)).filter(over => over > 1)"
)
# what the theme can change; every other rule looks at the same document in both
OF_THE_THEME = ("color-contrast", "link-in-text-block")


@pytest.mark.parametrize(("width", "narrower"), [(1440, (1100, 800)), (390, (320,))])
def test_no_page_has_a_barrier(open_browser, team, violations, width, narrower):
    """On a desktop all rules in the light theme, and in the dark one those that it can change; on a phone all rules in the dark.
    At each width nothing scrolls sideways and no table runs out of its card."""
    owner = team.people.owner
    type(owner).objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    phone = width < 500
    page = open_browser(owner, width=width, dark=phone)

    found = {}
    for address in addresses(team):
        page.emulate_media(color_scheme="dark" if phone else "light", reduced_motion="reduce")
        page.goto(address)
        problems = violations(page)
        for size in (*narrower, width):
            page.set_viewport_size({"width": size, "height": 900})
            if address.startswith("/app/") or size == width:
                problems += [("sideways", size, over) for over in (page.evaluate(SIDEWAYS),) if over > 0]
            if address.startswith("/app/"):
                problems += [("table", size, over) for over in page.evaluate(OUT_OF_ITS_CARD)]
        if not phone:
            page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # colours change at once
            if address.startswith("/admin/"):
                page.reload()  # Django's own links change theirs slowly, whatever is asked for
            problems += [("dark", *problem) for problem in violations(page, *OF_THE_THEME)]
        if problems:
            found[address] = problems
    assert found == {}


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_the_pages_of_accounts_have_no_barrier(open_browser, team, violations, settings, live_server, width, dark):
    """Groups, apps, and each step of signing in at a platform, with all that they can show."""
    settings.PUBLIC_URL = live_server.url
    now, room = clock.now(), team.people.workspace
    adapter = engine.install(OidcAdapter())
    adapter.places = lambda *_, **__: [Place(handle="ana", name="Ana", kind="page", credentials={"token": "t"})]
    adapter.exchange = lambda *_, **__: Grant(credentials={"token": "t"}, scopes=frozenset({"openid"}))
    try:
        made = make_account(room, now, platform="oidc", name="Ana", handle="ana", options={"server": "https://a.test"})
        accounts.mark_needs_auth(account_id=made.pk, message="Gone.", actor=ACTOR, now=now)
        PlatformAccount.objects.filter(pk=made.pk).update(missing_scopes=["post"], credentials_expire_at=now)
        groups.create(workspace=room, name="Brand", account_ids=[made.public_id], actor=ACTOR, now=now)
        names = {"workspace": room, "platform": "oidc", "actor": ACTOR, "now": now}
        apps.save(server="https://a.test", client_id="us", client_secret="hush", **names)
        page = open_browser(team.people.owner, width=width, dark=dark)
        session = page.context.cookies()[0]["value"]
        url = signin.start(options={"server": "https://a.test"}, person=team.people.owner, browser=session, **names)
        [state] = parse_qs(urlsplit(url).query)["state"]
        attempt = signin.answered(state=state, code="c", person=team.people.owner, browser=session, now=now)

        found = {}
        for address in (
            reverse("web:account_apps"),
            reverse("web:account_groups"),
            reverse("web:accounts"),
            reverse("web:account_choose"),
            reverse("web:account", args=[made.public_id]),
            reverse("web:account_signin", args=["oidc"]) + f"?account={made.public_id}",
            reverse("web:account_pick", args=[attempt.public_id]),
            reverse("oauth_callback") + "?state=made-up",
        ):
            page.goto(address)
            for fold in page.query_selector_all("details.fold:not([open]) > summary"):
                fold.click()
            if problems := violations(page):
                found[address] = problems
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.setdefault(address, []).append("sideways")
        assert found == {}
    finally:
        engine.uninstall(adapter)


def test_sign_in_and_the_dialogs_have_no_barrier(open_browser, team, violations):
    page = open_browser()
    page.goto(reverse("login"))
    assert violations(page) == []

    page = open_browser(team.people.owner)
    page.goto(reverse("web:today"))
    page.keyboard.press("Control+k")
    page.wait_for_selector("#cmd-list [role=option]")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert violations(page) == []


def test_refused_forms_have_no_barrier(open_browser, team, violations):
    page = open_browser(team.people.owner)
    page.goto(reverse("web:schedule_new"))
    page.click("button[value=schedule]")
    page.wait_for_selector("[data-problems]")

    assert violations(page) == []


@pytest.mark.parametrize(("width", "dark", "view"), [(1440, False, "month"), (390, True, "day")])
def test_what_opens_over_the_calendar_has_no_barrier(open_browser, team, violations, width, dark, view):
    """The preview with a conflict, the day's drawer, the dialog for a time, the question about a series."""
    now = clock.now()
    account = make_account(team.people.workspace, now, name="Pier", min_spacing_seconds=900)
    noon = (now + timedelta(days=40)).replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=None)
    rule = {"rule_kind": "rrule", "expression": "FREQ=WEEKLY", "start_local": noon + timedelta(minutes=5)}
    make_schedule(team.people.workspace, [account], now, text="Weekly", **rule)
    for minutes in (0, 1, 2, 3, 4, 1440):
        make_schedule(team.people.workspace, [account], now, text="Once", start_local=noon + timedelta(minutes=minutes))
    page = open_browser(team.people.author, width=width, dark=dark)
    page.goto(reverse("web:calendar") + f"?view={view}&date={noon:%Y-%m-%d}&account={account.public_id}")

    found = {}
    page.locator("#cal .ev:not(.rec)").first.click()
    page.wait_for_selector("#peek .peek-conflict")
    found["preview"] = violations(page)
    page.click("#peek [data-move]")
    page.click("#movedlg [data-shift='1440']")
    page.wait_for_selector("#movedlg [data-use]")
    found["dialog"] = violations(page)
    page.keyboard.press("Escape")
    if view == "month":
        page.locator("#cal .more").first.click()
        page.wait_for_selector("#drawer[open] .ev")
        found["drawer"] = violations(page)
        page.locator("#drawer .ev.rec").focus()
    else:
        page.locator("#cal .ev.rec").focus()
    for key in ("m", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#scopedlg[open]")
    found["question"] = violations(page)
    page.keyboard.press("Escape")
    page.goto(page.locator("#cal .ev").first.get_attribute("href"))
    found["page"] = violations(page)
    assert {name: problems for name, problems in found.items() if problems} == {}
