"""The clients of these tests: one request each, and how an answer is read."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

ADDRESS = "/api/graphql/"


class Caller:
    def __init__(self, client: APIClient) -> None:
        self.client = client

    def post(self, query: str, **variables: Any) -> Any:
        return self.client.post(ADDRESS, {"query": query, "variables": variables}, format="json")

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        response = self.post(query, **variables)
        body = response.json()
        assert response.status_code == 200, body
        assert "errors" not in body, body
        return body["data"]

    def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """The one error of an operation that was run."""
        response = self.post(query, **variables)
        assert response.status_code == 200, response.content
        [error] = response.json()["errors"]
        found: dict[str, Any] = {**error["extensions"], "message": error["message"]}
        return found

    def refusal(self, query: str, status: int = 400, **variables: Any) -> dict[str, Any]:
        """The one error of a request that was not run."""
        response = self.post(query, **variables)
        assert response.status_code == status, response.content
        body = response.json()
        assert "data" not in body
        [error] = body["errors"]
        found: dict[str, Any] = {**error["extensions"], "message": error["message"]}
        return found


def with_token(secret: str) -> Caller:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return Caller(client)


def signed_in(user: Any, *, csrf: bool = False) -> Caller:
    client = APIClient(enforce_csrf_checks=csrf)
    client.force_login(user)
    return Caller(client)
