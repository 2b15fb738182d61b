"""Who a name and a password belong to. The library's backend tries a known address twice, which can be measured from outside."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from alwrity_scheduler.signin import reads


class Backend(AuthenticationBackend):
    """One hash for each person that the name can mean, and one where it means nobody (`authenticate` of the library sees to it)."""

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        name = str(credentials.get("username") or credentials.get("email") or "")
        for person in reads.people_named(name):
            if self._check_password(person, credentials["password"]) is not None:
                return person
        return None
