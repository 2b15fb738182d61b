"""An app of somebody else, as its program behaves: PKCE, the way through the consent page, tokens, refresh."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from alwrity_scheduler.oauth import services
from alwrity_scheduler.oauth.models import App
from tests.people import ACTOR

BACK = "https://app.example.com/back"
VERIFIER = "a-verifier-of-this-very-app-that-is-long-enough-for-rfc-7636"


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def register(workspace: Any, now: Any, **values: Any) -> Program:
    values = {"name": "Zapper", "redirect_uris": [BACK], "website": "https://example.com", "person": None, **values}
    app, secret = services.register(workspace=workspace, actor=ACTOR, now=now, **values)
    return Program(app, secret)


@dataclass
class Program:
    """`client`: the program's own connection; people come with a browser of their own."""

    app: App
    secret: str
    client: Client = field(default_factory=Client)

    def query(self, **changes: Any) -> dict[str, Any]:
        asked = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": BACK,
            "scope": "jobs:read schedules:write",
            "state": "xyz",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def ask(self, browser: Client, **changes: Any) -> Any:
        return browser.get("/oauth/authorize", self.query(**changes))

    def answer(self, browser: Client, workspace: Any, *, answer: str = "allow", **changes: Any) -> Any:
        given = {"workspace": str(workspace.public_id), "answer": answer}
        return browser.post("/oauth/authorize", given, query_params=self.query(**changes))

    def code(self, browser: Client, workspace: Any, **changes: Any) -> str:
        response = self.answer(browser, workspace, **changes)
        assert response.status_code == 302, response.content
        return told(response)["code"]

    def exchange(self, code: str, **changes: Any) -> Any:
        return self._token(
            grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=VERIFIER, **changes
        )

    def refresh(self, refresh_token: str, **changes: Any) -> Any:
        return self._token(grant_type="refresh_token", refresh_token=refresh_token, **changes)

    def tokens(self, browser: Client, workspace: Any, **changes: Any) -> dict[str, Any]:
        response = self.exchange(self.code(browser, workspace, **changes))
        assert response.status_code == 200, response.content
        body: dict[str, Any] = response.json()
        return body

    def _token(self, **body: Any) -> Any:
        body = {"client_id": self.app.client_id, "client_secret": self.secret or None, **body}
        return self.client.post("/oauth/token", {name: value for name, value in body.items() if value is not None})


def told(response: Any) -> dict[str, str]:
    """What the app is told at its address."""
    parts = urlsplit(response["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK, response["Location"]
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def browser_of(person: Any) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser
