"""The library's pages where ours say or do more: no mail server, sessions as devices, one session's end, our addresses."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions import views as sessions
from allauth.usersessions.internal import flows
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from alwrity_scheduler.signin import reads
from alwrity_scheduler.signin.forms import passkeys_possible


class PasswordReset(account.PasswordResetView):
    """Without a mail server the page says who can help."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.EMAIL_READY:
            return render(request, "account/password_reset.html", {"ready": False})
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "ready": True}


@method_decorator(login_required, name="dispatch")
class Addresses(account.EmailView):
    """E-mail addresses. A new one counts once a link sent to it was opened, so without a mail server none is added."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.EMAIL_READY and ("action_add" in request.POST or "action_send" in request.POST):
            messages.error(request, _("No mail can be sent from here, so an address cannot be confirmed."))
            return HttpResponseRedirect(self.success_url)
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "ready": settings.EMAIL_READY}


class Sessions(sessions.ListUserSessionsView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        found["devices"] = reads.devices(found["sessions"], self.request.session.session_key)
        return found


@require_POST
@login_required
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """One session of one's own: that browser is out at its next request."""
    row = get_object_or_404(UserSession, pk=pk, user=request.user)
    flows.sessions.end_sessions(request, [row])
    if not request.user.is_authenticated:
        return HttpResponseRedirect(reverse("login"))
    messages.success(request, _("Signed out there. That browser is out at once."))
    return HttpResponseRedirect(reverse("usersessions_list"))


class SecondStep(factors.IndexView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "must": reads.must_have_second_step(self.request.user)}


def start_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider, by a page that leads there: a browser does not follow a form to another site under our policy."""
    from allauth.socialaccount import providers

    if providers.registry.get_class("openid_connect") is None:
        raise Http404
    from allauth.socialaccount.providers.openid_connect.views import login

    answer: HttpResponse = login(request, provider_id=provider_id)
    there = answer.headers.get("Location", "")
    host = urlsplit(there).hostname
    if not host:
        return answer
    return render(request, "signin/leaving.html", {"url": there, "host": host})


class AddKey(webauthn.AddWebAuthnView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "possible": passkeys_possible()}


@method_decorator(never_cache, name="dispatch")
class Codes(codes.ViewRecoveryCodesView):
    """Shown once, and never kept by a browser or a proxy."""


password_reset = PasswordReset.as_view()
addresses = Addresses.as_view()
session_list = Sessions.as_view()
second_step = SecondStep.as_view()
add_key = AddKey.as_view()
recovery_codes = Codes.as_view()


def too_many(request: HttpRequest) -> HttpResponse:
    """The answer to whoever asks too often, of the library's limits (`handler429` of the site's addresses)."""
    response = render(request, "429.html", {"minutes": 1}, status=429)
    response.headers["Retry-After"] = "60"
    return response
