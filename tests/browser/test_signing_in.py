"""A person connects accounts by signing in at a real OpenID provider, in a real browser, under the product's real policy."""

from __future__ import annotations

import pytest

from alwrity_scheduler.core import clock
from platforms.models import PlatformAccount
from platforms.services import apps
from tests import engine
from tests.people import ACTOR
from tests.servers import real
from tests.servers.signin import CLIENT, OidcAdapter

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("oidc_provider"),
    pytest.mark.skipif(bool(real.missing("oidc_provider")), reason=real.missing("oidc_provider")),
]


@pytest.fixture
def room(team, live_server, settings):
    """The provider as a platform, with an app of the team's."""
    settings.PUBLIC_URL = live_server.url
    server = real.start("oidc_provider")["issuer"]
    adapter = engine.install(OidcAdapter())
    apps.save(
        workspace=team.people.workspace,
        platform="oidc",
        server=server,
        client_id=CLIENT[0],
        client_secret=CLIENT[1],
        actor=ACTOR,
        now=clock.now(),
    )
    yield server
    engine.uninstall(adapter)


def go_to_the_platform(page, server, console):
    page.goto("/app/accounts/connect/")
    page.get_by_role("link", name="Sign in at Common Room").click()
    page.get_by_label("Server").fill(server)
    console.listening = False  # the provider's own pages ask another site for a font
    page.get_by_role("button", name="Sign in at Common Room").click()
    page.wait_for_url(f"{server}/**")


def test_a_person_signs_in_at_the_platform_and_chooses_what_to_connect(open_browser, team, room, console):
    page = open_browser(team.people.owner)
    go_to_the_platform(page, room, console)
    page.fill("input[name=login]", "alice")
    page.fill("input[name=password]", "anything")
    page.click("button[type=submit]")
    page.click("button[type=submit]")  # "Continue": allow it

    page.wait_for_url("**/app/accounts/signed-in/**")
    console.listening = True
    page.get_by_role("checkbox", name="Alice @alice · profile").check()
    page.get_by_role("checkbox", name="Café").check()
    page.get_by_role("button", name="Connect", exact=True).click()

    page.wait_for_url("**/app/accounts/")
    assert page.get_by_text("Connected Alice, Café.").is_visible()
    assert page.get_by_text("You are @alice there.").first.is_visible()
    rows = PlatformAccount.objects.filter(platform="oidc").order_by("handle")
    assert [(row.handle, row.state, row.refresh_state) for row in rows] == [
        ("alice", "active", "ok"),
        ("alice-cafe", "active", "ok"),
    ]


def test_who_says_no_at_the_platform_reads_so(open_browser, team, room, console):
    page = open_browser(team.people.owner)
    go_to_the_platform(page, room, console)
    page.get_by_text("Cancel").click()

    page.wait_for_url("**/oauth/callback**")
    assert page.get_by_text("You did not allow it at the platform.").is_visible()
    assert not PlatformAccount.objects.filter(platform="oidc").exists()


def test_groups_and_apps_are_kept_without_leaving_the_page(open_browser, team, room):
    page = open_browser(team.people.owner)
    page.goto("/app/accounts/groups/")
    page.get_by_role("button", name="Make the group").click()
    page.wait_for_selector("[data-problems]")
    page.get_by_label("Name").fill("Harbours")
    page.get_by_role("checkbox", name="Harbour").check()
    page.get_by_role("button", name="Make the group").click()
    page.wait_for_selector("text=Made the group Harbours.")
    page.locator("#groups summary").click()
    page.get_by_role("button", name="Delete the group Harbours").click()
    page.wait_for_selector("text=No group yet")

    page.goto("/app/accounts/apps/")
    page.get_by_label("Platform", exact=True).select_option(label="Common Room")
    page.get_by_label("Client id").fill("another")
    page.get_by_label("Client secret").fill("hush")
    page.get_by_role("button", name="Save the app").click()
    page.wait_for_selector("text=Write the address of the server that this app belongs to.")
    page.get_by_label("Server").fill("https://other.test")
    page.get_by_label("Client secret").fill("hush")
    page.get_by_role("button", name="Save the app").click()
    page.wait_for_selector("text=Saved the app for Common Room https://other.test.")
    assert page.get_by_role("row", name="https://other.test").is_visible()
