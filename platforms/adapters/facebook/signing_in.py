"""Facebook Login: from the code to the tokens of the pages a person may publish to.

Source: developers.facebook.com, "Manually Build a Login Flow", "Long-Lived Access Tokens" and "Pages API: Get Started".
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from platforms.contracts import ClientApp, Grant, Place
from platforms.errors import UnknownOutcome
from platforms.meta_graph import Graph, Reply
from platforms.oauth2 import expiry

SCOPES = (
    "pages_show_list",
    "pages_manage_posts",
    "pages_read_engagement",
    "pages_manage_engagement",
    "read_insights",
)
MOST_PAGES = 20


def authorize_url(app: ClientApp, version: str, state: str) -> str:
    query = {
        "client_id": app.client_id, "redirect_uri": app.redirect_uri, "state": state, "response_type": "code",
        "scope": ",".join(SCOPES),
    }  # fmt: skip
    return f"https://www.facebook.com/{version}/dialog/oauth?{urlencode(query)}"


def exchange(app: ClientApp, graph: Graph, *, code: str, timeout: float) -> Grant:
    """Code -> short-lived -> long-lived user token (about 60 days; the pages' tokens made from it do not run out)."""
    client = {"client_id": app.client_id, "client_secret": app.client_secret}
    short = _token(
        graph.post("/oauth/access_token", {**client, "redirect_uri": app.redirect_uri, "code": code}, timeout=timeout)
    )
    fields = {**client, "grant_type": "fb_exchange_token", "fb_exchange_token": short}
    reply = graph.post("/oauth/access_token", fields, timeout=timeout)
    token = _token(reply)
    permissions = Graph(base=graph.base, token=token, app_secret=app.client_secret, platform="Facebook").get(
        "/me/permissions", timeout=timeout
    )
    given = frozenset(str(row.get("permission")) for row in permissions.rows() if row.get("status") == "granted")
    return Grant(
        credentials={"access_token": token}, expires_at=expiry(reply.data.get("expires_in")), scopes=given or None
    )


def places(app: ClientApp, graph: Graph, *, timeout: float) -> Sequence[Place]:
    """The pages on which the person may create content."""
    found: list[Place] = []
    after: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        reply = graph.get(
            "/me/accounts", fields="id,name,username,access_token,tasks", limit="100", timeout=timeout, **after
        )  # fmt: skip
        for row in reply.rows():
            tasks = row.get("tasks")
            if row.get("access_token") and (not isinstance(tasks, list) or "CREATE_CONTENT" in tasks):
                found.append(
                    Place(
                        handle=str(row.get("username") or row["id"]),
                        name=str(row.get("name") or row["id"]),
                        kind="page",
                        credentials={"access_token": str(row["access_token"]), "app_secret": app.client_secret},
                        options={**app.options, "page_id": str(row["id"]), "app_id": app.client_id},
                    )
                )
        paging = reply.data.get("paging")
        cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
        if not isinstance(cursors, dict) or not cursors.get("after"):
            break
        after = {"after": str(cursors["after"])}
    return found


def _token(reply: Reply) -> str:
    token = reply.text("access_token")
    if not token:
        raise UnknownOutcome("Facebook answered the sign-in without a token.")
    return token
