"""A passkey, added and used in a real Chromium with a virtual authenticator; the app and the recovery codes beside it."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.urls import reverse

from schedules.models import AuditLog
from tests.browser.test_access_for_all import axe_source
from tests.integration.signin.codes import code

pytestmark = pytest.mark.browser
FINGER = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


# a browser that does not ask the key to make sure, though the page does
CARELESS = """() => {
  const get = navigator.credentials.get.bind(navigator.credentials);
  navigator.credentials.get = (asked) => { asked.publicKey.userVerification = "discouraged"; return get(asked); };
}"""


def sign_in(page, address="/login/"):
    page.goto(address)
    page.get_by_label("User name or e-mail").fill("ana")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in", exact=True).click()


def barriers(page, console):
    """axe's findings on a page that only who is just being asked can see."""
    page.wait_for_timeout(30)
    console.listening = False
    page.evaluate(axe_source())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    page.wait_for_timeout(30)
    console.listening = True
    return [(item["id"], [node["html"][:160] for node in item["nodes"]][:3]) for item in found]


def test_a_person_sets_up_an_app_and_a_passkey_and_signs_in_with_each(open_browser, team, console):
    cache.clear()
    page = open_browser()
    finger = page.context.new_cdp_session(page)
    finger.send("WebAuthn.enable")
    authenticator = finger.send("WebAuthn.addVirtualAuthenticator", {"options": FINGER})["authenticatorId"]

    sign_in(page)
    page.wait_for_url("**/app/")
    page.goto(reverse("web:settings_section", args=["security"]))
    page.get_by_role("link", name="Set up a second step").click()
    page.get_by_role("link", name="Set up the app").click()
    secret = page.inner_text("#totp-secret")
    assert page.evaluate("document.querySelector('.qr img').naturalWidth") > 0
    assert barriers(page, console) == []
    page.get_by_label("Code that the app shows").fill(code(secret))
    page.get_by_role("button", name="Switch on").click()
    page.wait_for_url("**/recovery-codes/")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download").click()
    assert len(re.findall(r"^\d{8}$", taken.value.path().read_text(), re.M)) == 10

    page.goto(reverse("mfa_add_webauthn"))
    assert barriers(page, console) == []
    page.get_by_label("Name", exact=True).fill("My finger")
    page.get_by_label("Sign in with this alone").check()
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url("**/2fa/")
    page.get_by_role("link", name="See them").click()
    assert page.get_by_text("My finger").first.is_visible()
    assert len(finger.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]) == 1

    # without name and password; where one was going is kept
    page.context.clear_cookies()
    page.goto("/app/jobs/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    # the address of the sign-in page ends alike
    page.wait_for_url(lambda address: "login" not in address and address.endswith("/app/jobs/"))

    # after the password, as the second step
    page.context.clear_cookies()
    sign_in(page)
    page.wait_for_url("**/authenticate/")
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url("**/app/")

    # a key that does not make sure who touches it opens nothing by itself
    finger.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    page.context.clear_cookies()
    page.goto("/login/")
    page.evaluate(CARELESS)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_selector("text=This key did not check who you are")
    assert page.goto("/app/").url.split("?")[0].endswith("/login/")

    assert Authenticator.objects.filter(type="webauthn", last_used_at__isnull=False).count() == 1
    kinds = list(
        AuditLog.objects.filter(action="person.mfa_added").order_by("id").values_list("after__type", flat=True)
    )
    assert sorted(kinds) == ["recovery_codes", "totp", "webauthn"]
