"""The way through the consent page in a real browser, which holds the page's policy against where its form's answer leads."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from alwrity_scheduler.core import clock
from tests.integration.apps.flow import VERIFIER, challenge, register

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def callback():
    """A program on the person's own machine that waits to be told the code."""
    asked: list[str] = []

    class Waits(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Thanks</title><link rel=icon href=data:,><p>You may close this.")

        def log_message(self, *_words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Waits)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()


def test_a_person_allows_an_app_and_is_led_back_to_it(open_browser, team, callback):
    port, asked = callback
    program = register(
        team.people.workspace, clock.now(), name="Desk", public=True, redirect_uris=["http://127.0.0.1/back"]
    )
    where = f"http://127.0.0.1:{port}/back"
    page = open_browser(team.people.author)
    query = program.query(redirect_uri=where, code_challenge=challenge())
    page.goto("/oauth/authorize?" + "&".join(f"{name}={value.replace(' ', '+')}" for name, value in query.items()))
    page.get_by_role("radio", name="Team").check()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(f"{where}**")

    told = parse_qs(urlsplit(asked[0]).query)
    assert told["state"] == ["xyz"]
    answer = program._token(
        grant_type="authorization_code", code=told["code"][0], redirect_uri=where, code_verifier=VERIFIER
    )
    assert answer.status_code == 200
    page.goto("/app/settings/apps/")
    page.get_by_text("Take back").click()
    page.get_by_role("button", name="Take it back from Desk").click()
    page.get_by_text("No app acts for you.").wait_for()
    assert program.refresh(answer.json()["refresh_token"]).status_code == 400
