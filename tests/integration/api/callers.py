"""The clients of these tests, and how they read a problem. Each answer is held against the OpenAPI file (`described`)."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from tests.integration.api import described

API = "/api/v1/"


class Caller:
    """One who asks. `client.get("jobs/")` asks /api/v1/jobs/; bodies are JSON."""

    def __init__(self, client: APIClient) -> None:
        self.client = client

    def get(self, path: str, **query: Any) -> Any:
        return described.checked("get", self.client.get(API + path, query))

    def post(self, path: str, body: Any = None) -> Any:
        return described.checked("post", self.client.post(API + path, {} if body is None else body, format="json"))

    def patch(self, path: str, body: Any) -> Any:
        return described.checked("patch", self.client.patch(API + path, body, format="json"))

    def put(self, path: str, body: Any) -> Any:
        return described.checked("put", self.client.put(API + path, body, format="json"))

    def delete(self, path: str, body: Any = None) -> Any:
        return described.checked("delete", self.client.delete(API + path))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.get(path) if method == "get" else getattr(self, method)(path, body)


def with_token(secret: str) -> Caller:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return Caller(client)


def signed_in(user: Any) -> Caller:
    client = APIClient()
    client.force_login(user)
    return Caller(client)


def fields(response: Any) -> dict[str, str]:
    """field -> code of a problem answer, having checked that it is one."""
    assert response["Content-Type"] == "application/problem+json", response.content
    problem = response.json()
    assert problem["status"] == response.status_code
    assert set(problem) == {"type", "title", "status", "detail", "errors", "request_id"}
    assert all(set(item) == {"field", "message", "code"} for item in problem["errors"])
    return {item["field"]: item["code"] for item in problem["errors"]}
