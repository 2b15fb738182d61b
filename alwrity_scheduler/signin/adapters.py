"""How the library's decisions are made here: who may come in, what is sent, what is kept encrypted, what a lock says."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock, secrets
from alwrity_scheduler.core.sightings import address_of
from alwrity_scheduler.signin import locking, mails, services, watching
from alwrity_scheduler.workspaces.models import User

PRODUCT = "ALwrity Scheduler"


class AccountAdapter(DefaultAccountAdapter):
    """Passwords, addresses, mails. Nobody registers: people are invited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request) or "0.0.0.0"  # noqa: S104 - a caller without an address, like a test's

    def set_password(self, user: User, password: str) -> None:
        actor = services.own_actor(context.request, user)
        services.change_password(person=user, password=password, actor=actor, now=clock.now())

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("web:settings_section", args=["security"])

    def get_reset_password_from_key_url(self, key: str) -> str:
        """By the site's own address, whatever host the question came by."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.PUBLIC_URL + path.replace("UID-KEY", key)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return settings.PUBLIC_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return reverse("account_email" if self.request.user.is_authenticated else "login")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Written now, sent on another thread. Without a mail server nothing is sent."""
        if settings.EMAIL_READY:
            mails.send(
                self.render_mail(template_prefix, email, {"email": email, "site": settings.PUBLIC_URL, **context})
            )

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """That one is in, or out, is seen without words."""
        if message_template not in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            super().add_message(request, level, message_template, *args, **kwargs)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        self._tried = str(credentials.get("username") or credentials.get("email") or "").strip()
        return locking.key_of(self._tried)

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        if code == "too_many_login_attempts":
            self._lock()
        return super().validation_error(code, *args)

    def _lock(self) -> NoReturn:
        """Too many guesses, of a password or of a code: the same page for every name, whoever's it is."""
        request = context.request
        second = self._in_second_step(request)
        name = second.get_username() if second else getattr(self, "_tried", "")
        person = second or locking.person_named(name)
        key = f"mfa-auth-user-{second.pk}" if second else locking.key_of(name)
        minutes = locking.minutes_left(request, key)
        watching.see("sign_in.locked", request, person, who=name, minutes=minutes)
        locking.tell_the_person(request, person, minutes=minutes)
        response = render(request, "429.html", {"minutes": minutes}, status=429)
        response.headers["Retry-After"] = str(minutes * 60)
        raise ImmediateHttpResponse(response)

    def _in_second_step(self, request: HttpRequest) -> User | None:
        if hasattr(self, "_tried"):
            return None
        from allauth.account.internal.stagekit import unstash_login

        if request.user.is_authenticated:
            return request.user
        login = unstash_login(request, peek=True)
        return login.user if login else None


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Logins at OpenID providers, which are the settings' alone."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[Any]:
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def get_requests_session(self) -> Any:
        from alwrity_scheduler.signin.outbound import Session

        return Session(timeout=10)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never where somebody has the address here already: they sign in, and link the login in their settings."""
        if not settings.SIGNIN_OIDC_OPEN:
            return False
        from allauth.account.internal.userkit import filter_users_by_email

        addresses = {row.email for row in sociallogin.email_addresses} | {sociallogin.user.email}
        return not any(filter_users_by_email(address) for address in addresses if address)

    def authenticate_by_email(self, sociallogin: Any) -> tuple[Any, str] | None:
        """Only an address that the provider says is confirmed and that was confirmed here says who somebody is."""
        from allauth.account.models import EmailAddress

        addresses = [row.email.lower() for row in sociallogin.email_addresses if row.verified]
        found = EmailAddress.objects.filter(email__in=addresses, verified=True).select_related("user").first()
        return (found.user, found.email) if found and found.user.is_active else None


class FactorAdapter(DefaultMFAAdapter):
    """Second factors: their seeds are encrypted with the installation's keys."""

    def encrypt(self, text: str) -> str:
        return secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.decrypt(encrypted_text)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """What stands in the field until the person writes something better."""
        from allauth.mfa.models import Authenticator

        return _("Key %(number)s") % {"number": Authenticator.objects.filter(user=user, type=type).count() + 1}

    def get_totp_issuer(self) -> str:
        return PRODUCT

    def _get_site_name(self) -> str:
        return PRODUCT


class SessionsAdapter(DefaultUserSessionsAdapter):
    def end_sessions(self, sessions: Any) -> None:
        rows = list(sessions)
        super().end_sessions(rows)
        if rows:
            watching.see("session.revoked", context.request, context.request.user, count=len(rows))
