"""What an adapter owes for posts that are out: each of delete, edit and figures where it offers them, harmless to ask for twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from platforms.base import Deletes, Edits, Measures, Offers
from platforms.contracts import Published

pytestmark = pytest.mark.django_db


def can(network, part, name):
    adapter = network.adapter
    return isinstance(adapter, part) and (not isinstance(adapter, Offers) or name in adapter.offers(network.account))


def test_a_change_made_twice_is_made_once(network):
    if not can(network, Edits, "edit"):
        return
    publication = network.publication("edited")
    remote_id = network.publish(publication).remote_id
    changed = replace(publication, text=f"{publication.text} again")
    for _ in range(2):
        result = network.adapter.edit(changed, remote_id, timeout=10)
        assert isinstance(result, Published)
        remote_id = result.remote_id or remote_id
    assert network.posts(changed) == 1


def test_what_is_deleted_twice_is_gone(network):
    if not can(network, Deletes, "delete"):
        return
    publication = network.publication("deleted")
    remote_id = network.publish(publication).remote_id
    for _ in range(2):
        network.adapter.delete(network.account, remote_id, timeout=10)


def test_figures_are_of_the_posts_that_were_asked_for(network):
    if not can(network, Measures, "metrics"):
        return
    remote_id = network.publish(network.publication("counted")).remote_id
    found = network.adapter.metrics(network.account, [remote_id], timeout=10)
    assert [item.remote_id for item in found] in ([remote_id], [])
    assert all(value >= 0 for item in found for value in item.values.values())
