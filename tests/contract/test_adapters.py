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
    publication = network.publication("publishes")
    published = network.publish(publication)
    assert published.remote_id
    assert published.url.startswith("http") or published.url == ""
    assert not published.already
    assert network.posts(publication) == 1


def test_the_same_key_twice_is_one_post_where_the_platform_replays(network):
    if not network.adapter.capabilities(network.account).replays:
        return  # the engine then sends nothing a second time that it could not look up
    publication = network.publication("twice")
    first = network.publish(publication)
    again = network.publish(publication)
    assert (again.remote_id, again.url) == (first.remote_id, first.url)
    assert network.posts(publication) == 1


def test_find_tells_presence_and_absence_or_that_it_cannot(network):
    publication, absent = network.publication("present"), network.publication("absent")
    published = network.publish(publication)
    if not network.adapter.capabilities(network.account).can_find:
        with pytest.raises(UnknownOutcome):
            network.adapter.find(publication, timeout=10)
        return
    assert network.follow(network.adapter.find(publication, timeout=10)).remote_id == published.remote_id
    assert network.adapter.find(absent, timeout=10) is None


@pytest.mark.parametrize("kind", ["rejected", "auth", "rate_limited"])
def test_a_refusal_has_its_class_and_makes_no_post(network, kind):
    if kind not in network.kinds:
        return  # the platform has no such answer; its README says why
    publication = network.publication(f"refused-{kind}")
    network.misbehave(kind)
    with pytest.raises(PlatformError) as caught:
        network.publish(replace(publication, account=network.account))
    assert caught.value.error_class == kind
    assert str(caught.value)
    assert network.posts(publication) == 0


def test_a_rate_limit_says_how_long(network):
    if "rate_limited" not in network.kinds:
        return
    network.misbehave("rate_limited")
    with pytest.raises(RateLimited) as caught:
        network.publish(network.publication("limited"))
    assert caught.value.retry_after_seconds == network.retry_after


def test_a_lost_answer_is_unknown_and_is_settled_as_the_platform_allows(network):
    """The answer to the call that makes the post is lost. An adapter that can go on from there (Accepted) does so itself."""
    network.misbehave("unknown")
    publication = network.publication("lost")
    can = network.adapter.capabilities(network.account)
    try:
        result = network.adapter.publish(publication, timeout=10)
    except UnknownOutcome:
        if not (can.can_find or can.replays):
            with pytest.raises(UnknownOutcome):
                network.adapter.find(publication, timeout=10)
        elif can.can_find:
            found = network.adapter.find(publication, timeout=10)
            assert found is not None
            assert network.follow(found).already
        else:
            assert network.publish(publication).remote_id
    else:
        assert isinstance(result, Accepted)
        network.follow(result)
    assert network.posts(publication) == 1


def test_nothing_sent_is_unavailable(network):
    if network.unreachable is None:
        return  # it has no address
    with pytest.raises(PlatformError) as caught:
        network.adapter.publish(replace(network.publication("unsent"), account=network.unreachable), timeout=5)
    assert caught.value.error_class == "unavailable"


def test_verify_says_whether_the_account_would_work(network):
    health = network.adapter.verify(network.account, timeout=5)
    assert health.ok
    assert health.message


def test_secrets_are_in_no_repr_error_or_log_line(network, caplog):
    network.misbehave("auth")
    publication = network.publication("secret")
    with caplog.at_level(logging.DEBUG), pytest.raises(PlatformError) as caught:
        network.publish(publication)
    said = " ".join(
        [repr(publication), repr(publication.account), repr(caught.value), str(vars(caught.value)), caplog.text]
    )
    secret_names = {spec.name for spec in network.adapter.credential_fields if spec.secret}
    secrets = [value for name, value in publication.account.credentials.items() if name in secret_names]
    assert all(secret not in said for secret in secrets)


def test_an_accepted_post_is_polled_until_it_is_done(http_network, recorder):
    recorder.control(next=[{"status": 202}])
    accepted = http_network.adapter.publish(http_network.publication("slow"), timeout=5)
    assert isinstance(accepted, Accepted)
    again = http_network.adapter.poll(http_network.account, accepted.remote_state, timeout=5)
    assert isinstance(again, Accepted)
    assert again.poll_after_seconds == 1
    done = http_network.adapter.poll(http_network.account, again.remote_state, timeout=5)
    assert isinstance(done, Published)
    assert http_network.posts(http_network.publication("slow")) == 1


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
    assert http_network.posts(http_network.publication("forged")) == 0


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
