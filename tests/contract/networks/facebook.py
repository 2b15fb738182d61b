"""A Facebook page, against a double of the Graph API."""

from __future__ import annotations

from typing import Any

from platforms.contracts import AccountRef
from tests.contract.networks import Network
from tests.servers.double import Answer
from tests.servers.facebook import FacebookDouble, graph_error


def network(request: Any) -> Network:
    from platforms.adapters.facebook.adapter import FacebookAdapter

    double = FacebookDouble()
    request.addfinalizer(double.stop)
    account = AccountRef(
        id=1,
        public_id="a",
        platform="facebook",
        name="Our Page",
        handle="ourpage",
        timezone="UTC",
        credentials={"access_token": double.TOKEN, "app_secret": double.SECRET},
        options={"page_id": double.PAGE, "app_id": double.APP, "api_url": double.url},
    )
    busy = '{"1001":[{"type":"pages","call_count":100,"total_time":1,"total_cputime":1,"estimated_time_to_regain_access":7}]}'
    answers = {
        "rejected": graph_error(100, "(#100) Invalid parameter"),
        "auth": graph_error(190, f"Error validating access token {double.TOKEN}", error_subcode=463),
        "rate_limited": graph_error(80001),
    }
    answers["rate_limited"].headers = {"X-Business-Use-Case-Usage": busy}

    def misbehave(kind: str) -> None:
        if kind == "unknown":
            double.drop = 1
        else:
            double.next = [Answer(answers[kind].status, answers[kind].body, answers[kind].headers)]

    return Network(
        adapter=FacebookAdapter(),
        account=account,
        posts=lambda publication: sum(publication.text == post.get("message") for post in double.posts.values()),
        misbehave=misbehave,
        retry_after=420,
        unreachable=_elsewhere(account),
    )


def _elsewhere(account: AccountRef) -> AccountRef:
    from dataclasses import replace

    return replace(account, options={**account.options, "api_url": "http://127.0.0.1:1"})
