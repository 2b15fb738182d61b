"""The practice network in this product's own database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conftest import NOW
from tests.contract.networks import Network
from tests.people import make_account


def network(request: Any) -> Network:
    from platforms.adapters.sandbox.adapter import SandboxAdapter
    from platforms.adapters.sandbox.models import SandboxPost
    from platforms.services.publishing import account_ref

    made = account_ref(make_account(request.getfixturevalue("workspace"), NOW))
    found = Network(
        adapter=SandboxAdapter(),
        account=made,
        posts=lambda publication: SandboxPost.objects.filter(account_id=made.id, key=publication.key).count(),
        misbehave=lambda kind: None,
    )

    def misbehave(kind: str) -> None:
        mode = "dropped_after_accepting" if kind == "unknown" else kind
        found.account = replace(made, options={"fault_mode": mode, "fault_rate": 1, "fault_seconds": 7})

    found.misbehave = misbehave
    return found
