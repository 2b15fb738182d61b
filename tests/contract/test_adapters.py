"""What every adapter owes the engine. A new adapter joins by a parameter of the `network` fixture."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from platforms.base import Adapter
from platforms.contracts import Accepted, MediaRef, Published
from platforms.errors import PlatformError, RateLimited, UnknownOutcome

pytestmark = pytest.mark.django_db


def test_it_is_an_adapter(network):
    assert isinstance(network.adapter, Adapter)
    assert network.adapter.check_settings(network.account.options, network.account.credentials) == []


def test_publishing_makes_one_post_with_an_id_and_an_address(network):
    published = network.adapter.publish(network.publication("publishes"), timeout=5)
    assert isinstance(published, Published)
    assert published.remote_id
    assert published.url.startswith("http")
    assert not published.already
    assert network.posts("publishes") == 1


def test_the_same_key_twice_is_one_post_where_the_platform_replays(network):
    assert network.adapter.capabilities(network.account).replays
    first = network.adapter.publish(network.publication("twice"), timeout=5)
    again = network.adapter.publish(network.publication("twice"), timeout=5)
    assert (again.remote_id, again.url) == (first.remote_id, first.url)
    assert again.already
    assert network.posts("twice") == 1


def test_find_tells_presence_and_absence(network):
    published = network.adapter.publish(network.publication("present"), timeout=5)
    assert network.adapter.capabilities(network.account).can_find
    assert network.adapter.find(network.publication("present"), timeout=5).remote_id == published.remote_id
    assert network.adapter.find(network.publication("absent"), timeout=5) is None


@pytest.mark.parametrize("kind", ["rejected", "auth", "rate_limited"])
def test_a_refusal_has_its_class_and_makes_no_post(network, kind):
    network.misbehave(kind)
    with pytest.raises(PlatformError) as caught:
        network.adapter.publish(network.publication(f"refused-{kind}"), timeout=5)
    assert caught.value.error_class == kind
    assert str(caught.value)
    assert network.posts(f"refused-{kind}") == 0


def test_a_rate_limit_says_how_long(network):
    network.misbehave("rate_limited")
    with pytest.raises(RateLimited) as caught:
        network.adapter.publish(network.publication("limited"), timeout=5)
    assert caught.value.retry_after_seconds == 7


def test_a_lost_answer_is_unknown_and_find_settles_it(network):
    network.misbehave("unknown")
    publication = network.publication("lost")
    with pytest.raises(UnknownOutcome):
        network.adapter.publish(publication, timeout=5)
    found = network.adapter.find(publication, timeout=5)
    assert found is not None
    assert found.already
    assert network.posts("lost") == 1


def test_verify_says_whether_the_account_would_work(network):
    health = network.adapter.verify(network.account, timeout=5)
    assert health.ok
    assert health.message


def test_secrets_are_in_no_repr_error_or_log_line(network, caplog):
    network.misbehave("auth")
    account = replace(network.account, credentials={**network.account.credentials, "bearer_token": "hide-me-please"})
    publication = replace(network.publication("secret"), account=account)
    with caplog.at_level(logging.DEBUG), pytest.raises(PlatformError) as caught:
        network.adapter.publish(publication, timeout=5)
    said = " ".join([repr(publication), repr(account), repr(caught.value), str(vars(caught.value)), caplog.text])
    assert "hide-me-please" not in said
    assert all(secret not in said for secret in network.account.credentials.values())


def test_nothing_sent_is_unavailable(http_network):
    account = replace(http_network.account, options={"publish_url": "http://127.0.0.1:1/"})
    with pytest.raises(PlatformError) as caught:
        http_network.adapter.publish(replace(http_network.publication("unsent"), account=account), timeout=5)
    assert caught.value.error_class == "unavailable"


def test_an_accepted_post_is_polled_until_it_is_done(http_network, recorder):
    recorder.control(next=[{"status": 202}])
    accepted = http_network.adapter.publish(http_network.publication("slow"), timeout=5)
    assert isinstance(accepted, Accepted)
    again = http_network.adapter.poll(http_network.account, accepted.remote_state, timeout=5)
    assert isinstance(again, Accepted)
    assert again.poll_after_seconds == 1
    done = http_network.adapter.poll(http_network.account, again.remote_state, timeout=5)
    assert isinstance(done, Published)
    assert http_network.posts("slow") == 1


@pytest.mark.parametrize("status", [401, 429, 500, 503, 302])
def test_a_look_up_that_tells_nothing_is_unknown_whatever_it_answers(http_network, recorder, status):
    recorder.control(lookup={"status": status})
    with pytest.raises(UnknownOutcome):
        http_network.adapter.find(http_network.publication("dark"), timeout=5)


def test_the_recorder_accepts_our_signature_and_refuses_another(http_network):
    forged = replace(http_network.account, credentials={"signing_secret": "whsec_" + "A" * 32})
    with pytest.raises(PlatformError) as caught:
        http_network.adapter.publish(replace(http_network.publication("forged"), account=forged), timeout=5)
    assert caught.value.error_class == "auth"
    assert http_network.posts("forged") == 0


def test_what_is_sent_is_what_the_contract_says(http_network, recorder):
    picture = MediaRef(url="https://x.test/media/1", mime="image/png", alt="A cat", size=9, checksum="c")
    http_network.adapter.publish(
        http_network.publication(
            "exact", title="T", link="https://x.test/", hashtags=("a", "b"), media=(picture,), content_type="image"
        ),
        timeout=5,
    )
    arrival = next(arrival for arrival in recorder.log()["arrivals"] if arrival["key"] == "exact")
    assert arrival["body"] == (
        '{"key":"exact","title":"T","text":"Guten Morgen – 早上好","link":"https://x.test/","hashtags":["a","b"],'
        '"media":[{"url":"https://x.test/media/1","alt":"A cat","mime":"image/png"}],"content_type":"image",'
        '"account":"news","scheduled_for":"2026-11-23T08:00:00Z"}'
    )
    assert arrival["headers"]["webhook-id"] == "exact"
    assert arrival["headers"]["authorization"] == "Bearer token-that-nobody-may-see"
