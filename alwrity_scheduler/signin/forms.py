"""The library's forms in our words: labels instead of words that vanish when one types, one name for each thing."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.core import context
from allauth.mfa.base import forms as factors
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.utils.translation import gettext_lazy as _


class Plain(forms.Form):
    """Takes the placeholders away and gives the labels of `words`."""

    words: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.words:
                field.label = self.words[name]


class LoginForm(Plain, account.LoginForm):
    words = {"login": _("User name or e-mail"), "password": _("Password")}
    error_messages = {
        "wrong": _("That name and that password do not belong together. Check both; capital letters count.")
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        self.fields["login"].widget.attrs["autocomplete"] = "username"

    def clean(self) -> Any:
        try:
            return super().clean()
        except forms.ValidationError as error:
            # one answer, whichever of the two was wrong
            if str(getattr(error, "code", "")).endswith("_password_mismatch"):
                raise forms.ValidationError(self.error_messages["wrong"], code="invalid") from None
            raise


class ChangePasswordForm(Plain, account.ChangePasswordForm):
    words = {"oldpassword": _("Password now"), "password1": _("New password"), "password2": _("New password again")}


class SetPasswordForm(Plain, account.SetPasswordForm):
    words = {"password1": _("New password"), "password2": _("New password again")}


class ResetPasswordForm(Plain, account.ResetPasswordForm):
    words = {"email": _("E-mail")}


class ResetPasswordKeyForm(Plain, account.ResetPasswordKeyForm):
    words = {"password1": _("New password"), "password2": _("New password again")}


class AddEmailForm(Plain, account.AddEmailForm):
    words = {"email": _("Another e-mail address")}


class ReauthenticateForm(Plain, account.ReauthenticateForm):
    words = {"password": _("Password")}


class CodeForm(Plain, factors.AuthenticateForm):
    words = {"code": _("Code")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(inputmode="numeric", autofocus=True)


class ReauthenticateCodeForm(Plain, factors.ReauthenticateForm):
    words = {"code": _("Code")}


class ActivateTotpForm(Plain, totp.ActivateTOTPForm):
    words = {"code": _("Code that the app shows")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(inputmode="numeric")


class AddKeyForm(Plain, webauthn.AddWebAuthnForm):
    words = {"name": _("Name"), "passwordless": _("Sign in with this alone, without name and password")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].help_text = ""


class EditKeyForm(Plain, webauthn.EditWebAuthnForm):
    words = {"name": _("Name")}


class PasskeyForm(webauthn.LoginWebAuthnForm):
    """Without name and password the key must have made sure of its person: by a finger, a face or a PIN."""

    def clean_credential(self) -> Any:
        given = auth.parse_authentication_response(self.cleaned_data["credential"])
        if not given.response.authenticator_data.is_user_verified():
            raise forms.ValidationError(
                _("This key did not check who you are. Sign in with your password; the key is your second step.")
            )
        return super().clean_credential()


def passkeys_possible() -> bool:
    """Browsers offer them to https addresses and to localhost, never to a bare IP address."""
    host = context.request.get_host().partition(":")[0]
    bare = host.replace(".", "").isdigit() or host.startswith("[")
    return not bare and (context.request.is_secure() or host == "localhost" or host.endswith(".localhost"))
