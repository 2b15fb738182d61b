"""What an adapter may offer besides: services, apps, budgets, renewals. One that offers nothing goes on working."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from alwrity_scheduler.core import clock
from platforms.base import Adapter, HasApps, HasBudgets, HasServices, Refreshes
from platforms.contracts import Budget, RateInfo, Refreshed
from platforms.errors import PlatformError, RateLimited
from tests.engine import HostedAdapter, ScriptedAdapter

pytestmark = pytest.mark.django_db
OPTIONAL = (HasServices, HasApps, HasBudgets, Refreshes)


def test_what_an_adapter_offers_it_answers_for_any_account(network):
    adapter, bare = network.adapter, replace(network.account, options={}, credentials={})
    for account in (network.account, bare):
        if isinstance(adapter, HasServices):
            assert isinstance(adapter.service_of(account), str)
        if isinstance(adapter, HasApps):
            assert isinstance(adapter.app_of(account), str)
        if isinstance(adapter, HasBudgets):
            assert all(isinstance(item, Budget) for item in adapter.budgets(account))
        if isinstance(adapter, Refreshes):
            assert adapter.can_refresh(account) in (True, False)


def test_an_adapter_without_any_of_it_is_an_adapter():
    plain = ScriptedAdapter()
    assert isinstance(plain, Adapter)
    assert [isinstance(plain, part) for part in OPTIONAL] == [False] * 4
    assert [isinstance(HostedAdapter(), part) for part in OPTIONAL] == [True] * 4


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://API.test/publish", "api.test"),
        ("https://api.test:8443/a", "api.test:8443"),
        ("http://127.0.0.1:9/", "127.0.0.1:9"),
        ("", ""),
    ],
)
def test_a_host_and_port_are_down_together(http_network, url, service):
    account = replace(http_network.account, options={"publish_url": url})
    assert http_network.adapter.service_of(account) == service


def test_a_shared_quota_belongs_to_its_host(http_network):
    options = {"publish_url": "https://api.test/p", "app_name": "team", "app_hourly_cap": 5}
    account = replace(http_network.account, options=options)
    assert http_network.adapter.app_of(account) == "api.test/team"
    assert http_network.adapter.budgets(account) == [Budget(scope="app", name="hour", capacity=5, period_seconds=3600)]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"app_hourly_cap": 5}, "app_name"),
        ({"app_hourly_cap": 0.5, "app_name": "a"}, "app_hourly_cap"),
        ({"app_hourly_cap": -1, "app_name": "a"}, "app_hourly_cap"),
        ({"app_hourly_cap": "many", "app_name": "a"}, "app_hourly_cap"),
        ({"app_name": "x" * 61}, "app_name"),
        ({"token_url": "ftp://x/"}, "token_url"),
        ({"token_url": "https://x.test/token"}, "client_id"),
    ],
)
def test_settings_that_make_no_sense_are_told_at_their_field(http_network, options, field):
    whole = {"publish_url": "https://api.test/p", **options}
    assert field in [name for name, _ in http_network.adapter.check_settings(whole, {})]


def test_a_refresh_token_needs_an_address(http_network):
    options = {"publish_url": "https://api.test/p"}
    problems = http_network.adapter.check_settings(options, {"refresh_token": "r"})
    assert [name for name, _ in problems] == ["token_url"]


def test_what_the_headers_say_comes_with_success_and_failure(http_network, recorder):
    said = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "30"}
    recorder.control(next=[{"status": 201, "headers": said}, {"status": 422, "headers": said}])

    published = http_network.adapter.publish(http_network.publication("told"), timeout=5)
    with pytest.raises(PlatformError) as refused:
        http_network.adapter.publish(http_network.publication("told-too"), timeout=5)

    expected = RateInfo(limit=10, remaining=4, reset_seconds=30)
    assert (published.rate, refused.value.rate) == (expected, expected)


def test_a_429_that_only_names_the_reset_waits_for_it(http_network, recorder):
    recorder.control(next=[{"status": 429, "headers": {"RateLimit": '"hour";r=0;t=77'}}])
    with pytest.raises(RateLimited) as caught:
        http_network.adapter.publish(http_network.publication("reset"), timeout=5)
    assert caught.value.retry_after_seconds == 77


@pytest.fixture
def oauth(http_network, recorder):
    """An account whose access token can be renewed, a client of its own each time."""
    options = {
        **http_network.account.options,
        "token_url": f"{recorder.url}/token",
        "client_id": f"c{clock.monotonic()}",
    }
    credentials = {"refresh_token": "given-by-a-person", "client_secret": "hush & hush", "bearer_token": "old-token"}
    return replace(http_network.account, options=options, credentials=credentials)


def renew(http_network, account, timeout=5):
    return http_network.adapter.refresh(account, timeout=timeout)


def renewed(account, answer):
    return replace(account, credentials={**account.credentials, **answer.credentials})


def test_a_renewal_brings_both_tokens_and_their_life(http_network, oauth):
    assert http_network.adapter.can_refresh(oauth)

    answer = renew(http_network, oauth)

    assert isinstance(answer, Refreshed)
    assert answer.credentials["bearer_token"].startswith("access-")
    assert answer.credentials["refresh_token"].startswith("refresh-")
    assert timedelta(minutes=59) < answer.expires_at - clock.now() <= timedelta(hours=1)


def test_the_new_token_is_sent_with_the_next_post(http_network, oauth, recorder):
    account = renewed(oauth, renew(http_network, oauth))
    account = replace(
        account,
        credentials={**account.credentials, **http_network.account.credentials}
        | {"bearer_token": account.credentials["bearer_token"]},
    )

    http_network.adapter.publish(replace(http_network.publication("renewed"), account=account), timeout=5)

    arrival = next(item for item in recorder.log()["arrivals"] if item["key"] == "renewed")
    assert arrival["headers"]["authorization"] == f"Bearer {account.credentials['bearer_token']}"


def test_a_rotated_refresh_token_works_once(http_network, oauth):
    account = renewed(oauth, renew(http_network, oauth))
    renew(http_network, account)

    with pytest.raises(PlatformError) as caught:
        renew(http_network, account)

    assert caught.value.error_class == "auth"


def test_the_clients_secret_goes_as_basic_and_without_one_its_name_goes_in_the_form(http_network, oauth, recorder):
    renew(http_network, oauth)
    public = replace(oauth, credentials={"refresh_token": "another"})
    renew(http_network, public)

    with_secret, without = recorder.log()["tokens"]["clients"][-2:]
    assert with_secret.startswith("Basic ")
    assert without == public.options["client_id"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"status": 400, "body": {"error": "invalid_grant"}}, "auth"),
        ({"status": 401, "body": {"error": "invalid_client"}}, "auth"),
        ({"status": 401, "body": {}}, "auth"),
        ({"status": 400, "body": {"error": "invalid_request"}}, "rejected"),
        ({"status": 404, "body": {}}, "rejected"),
        ({"status": 429, "retry_after": 9}, "rate_limited"),
        ({"status": 503, "retry_after": 9}, "unavailable"),
        ({"status": 500}, "unknown"),
        ({"status": 200, "body": {"ok": True}}, "unknown"),
        ({"status": 200, "body": {"access_token": "a\nb"}}, "unknown"),
        ({"drop": True}, "unknown"),
    ],
)
def test_revoked_and_transient_are_told_apart(http_network, oauth, recorder, order, expected):
    recorder.control(token=[order])

    with pytest.raises(PlatformError) as caught:
        renew(http_network, oauth)

    assert caught.value.error_class == expected
    assert caught.value.retry_after_seconds == (9 if "retry_after" in order else None)


def test_a_token_address_that_cannot_be_reached_is_transient(http_network, oauth):
    account = replace(oauth, options={**oauth.options, "token_url": "http://127.0.0.1:1/token"})
    with pytest.raises(PlatformError) as caught:
        renew(http_network, account)
    assert caught.value.error_class == "unavailable"


def test_no_secret_is_in_a_renewals_repr_error_or_log_line(http_network, oauth, recorder, caplog):
    recorder.control(token=[{"status": 400, "body": {"error": "no given-by-a-person hush & hush"}}])
    from platforms.services import publishing

    with caplog.at_level(logging.DEBUG), pytest.raises(PlatformError) as caught:
        publishing.refresh(oauth, timeout=5)
    answer = renew(http_network, oauth)

    said = " ".join([repr(answer), repr(oauth), repr(caught.value), str(vars(caught.value)), caplog.text])
    for secret in (*oauth.credentials.values(), *answer.credentials.values()):
        assert secret not in said
