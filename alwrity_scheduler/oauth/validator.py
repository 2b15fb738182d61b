"""The toolkit's rules made stricter: digests only, one use of each code and refresh token, and a permission under every token.

Called by the protocol engine (oauthlib) at each step; nothing else calls it.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.crypto import constant_time_compare
from oauth2_provider.models import set_token_value
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauthlib.oauth2.rfc6749 import errors

from alwrity_scheduler.core import clock
from alwrity_scheduler.oauth.models import AccessToken, Code, Permission, RefreshToken
from alwrity_scheduler.oauth.querysets import digest


class Validator(OAuth2Validator):
    def validate_scopes(
        self, client_id: str, scopes: Any, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Asking for nothing is not asking for everything."""
        return bool(scopes) and bool(super().validate_scopes(client_id, scopes, client, request, *args, **kwargs))

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return True

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        # what no browser can be sent to must not reach the page's Content-Security-Policy either
        if any(letter <= " " or letter in "\"'<>;,\\" for letter in redirect_uri):
            return False
        return bool(super().validate_redirect_uri(client_id, redirect_uri, request, *args, **kwargs))

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        return bool(constant_time_compare(digest(provided_secret), stored_secret))

    def _create_authorization_code(self, request: Any, code: dict[str, Any], expires: Any = None) -> Any:
        if request.code_challenge_method != "S256":
            raise errors.InvalidRequestError(
                description='Send a code_challenge with code_challenge_method "S256".', request=request
            )
        return Code.objects.create(
            application=request.client,
            user=request.user,
            permission=request.permission,
            code=digest(code["code"]),
            expires=expires or clock.now() + timedelta(seconds=oauth2_settings.AUTHORIZATION_CODE_EXPIRE_SECONDS),
            redirect_uri=request.redirect_uri,
            scope=" ".join(request.scopes),
            code_challenge=request.code_challenge,
            code_challenge_method=request.code_challenge_method,
            resource=getattr(request, "resource", None) or [],
        )

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """From here on the request carries the digest of the code. A code shown again ends what it was exchanged for."""
        request.code = digest(code)
        if not super().validate_code(client_id, request.code, client, request, *args, **kwargs):
            self._end_families_of(request)
            return False
        request.permission = self._standing(Code.objects.get(code=request.code).permission_id)
        return request.permission is not None

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        if not super().validate_refresh_token(refresh_token, client, request, *args, **kwargs):
            return False
        request.permission = self._standing(request.refresh_token_instance.permission_id)
        return request.permission is not None

    def _standing(self, permission_id: int) -> Permission | None:
        found: Permission | None = Permission.objects.standing().filter(pk=permission_id).first()
        return found

    def _end_families_of(self, request: Any) -> None:
        rows = RefreshToken.objects.filter(code_digest=request.code, application=request.client)
        for family in set(rows.values_list("token_family", flat=True)):
            RefreshToken.revoke_family(family)

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Uses up the code or the refresh token and makes the next pair, in one transaction: of two that come at the same moment
        one gets a pair, and the other ends it."""
        with transaction.atomic():
            mine = self._locked(request)
            if mine is not None:
                self._save_bearer_token(token, request, *args, **kwargs)
                if isinstance(mine, Code):
                    mine.delete()
        if mine is not None:
            return
        if request.grant_type == "refresh_token":
            RefreshToken.revoke_family(request.refresh_token_instance.token_family)
        else:
            self._end_families_of(request)
        raise errors.InvalidGrantError(request=request)

    def _locked(self, request: Any) -> Code | RefreshToken | None:
        """The row that this request uses up, where nobody was faster."""
        if request.grant_type == "refresh_token":
            rows = RefreshToken.objects.select_for_update().filter(revoked=None)
            return rows.filter(pk=request.refresh_token_instance.pk).first()
        return Code.objects.select_for_update().filter(code=request.code, application=request.client).first()

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Done with the pair, in one transaction."""

    def _create_access_token(
        self, expires: datetime, request: Any, token: dict[str, Any], source_refresh_token: Any = None
    ) -> AccessToken:
        made = AccessToken(
            user=request.user,
            application=request.client,
            permission=request.permission,
            scope=token["scope"],
            expires=expires,
            source_refresh_token=source_refresh_token,
            resource=getattr(request, "resource", None) or [],
        )
        set_token_value(made, token["access_token"])
        made.save()
        return made

    def _create_refresh_token(
        self, request: Any, refresh_token_code: str, access_token: AccessToken, previous_refresh_token: Any
    ) -> RefreshToken:
        made = RefreshToken(
            user=request.user,
            application=request.client,
            permission=request.permission,
            access_token=access_token,
            token_family=previous_refresh_token.token_family if previous_refresh_token else uuid.uuid4(),
            code_digest="" if previous_refresh_token else request.code,
            resource=getattr(request, "resource", None) or [],
        )
        set_token_value(made, refresh_token_code)
        made.save()
        return made
