"""The custom platform, against the recorder process."""

from __future__ import annotations

from typing import Any

from tests.contract.networks import Network


def network(request: Any) -> Network:
    found: Network = request.getfixturevalue("http_network")
    return found
