"""Signing in at a platform: what is checked of an answer, what is kept, what is forgotten; and the real provider's tokens."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from alwrity_scheduler.core.errors import Refused
from platforms.contracts import ClientApp, Grant, Place
from platforms.errors import Rejected, Unavailable
from platforms.models import PlatformAccount, PlatformApp, SignInAttempt
from platforms.oauth2 import authorize_url, challenge_of
from platforms.services import accounts, apps, signin
from schedules.models import AuditLog, CredentialRefresh, Job
from schedules.services import holds, refreshing
from tests import engine
from tests.engine import HostedAdapter, claim_due, run_due
from tests.people import ACTOR, make_account, make_schedule
from tests.servers import real
from tests.servers.signin import CLIENT, OidcAdapter, walk

pytestmark = pytest.mark.django_db
SECRETS = ("s3cret-of-the-app", "t0ken-of-ana", "r3fresh-of-ana", "c0de-of-the-platform")


class Platform(HostedAdapter):
    """Signed in to without a network; remembers what it was asked, answers what the test wrote down."""

    key = "plaza"
    label = "Plaza"
    scopes = ("post", "read")
    uses_pkce = True
    sign_in_fields: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__(key="plaza", label="Plaza")
        self.given = frozenset(self.scopes)
        self.fails = None
        self.expires_at = None
        self.exchanged = []
        self.found = [
            Place(
                handle="@Ana",
                name="Ana",
                kind="profile",
                credentials={"token": SECRETS[1], "refresh_token": SECRETS[2]},
            )
        ]

    def authorize_url(self, app, *, state, challenge):
        return authorize_url(
            "https://plaza.test/auth", client_id=app.client_id, redirect_uri=app.redirect_uri, scopes="post read", state=state,
            challenge=challenge,
        )  # fmt: skip

    def exchange(self, app, *, code, verifier, timeout):
        self.exchanged.append((app, code, verifier))
        if self.fails:
            raise self.fails
        return Grant(credentials={"token": SECRETS[1]}, expires_at=self.expires_at, scopes=self.given)

    def places(self, app, grant, *, timeout):
        return self.found


class Registering(Platform):
    """Gives out apps by itself, one a server."""

    sign_in_fields = ("host",)

    def __init__(self) -> None:
        super().__init__()
        self.registered = []

    def register(self, *, redirect_uri, options, timeout):
        self.registered.append(options["host"])
        if options["host"] == "http://inside.test":
            raise Rejected("inside.test is 10.0.0.1, an address of a private network.")
        return ClientApp(client_id=f"c{len(self.registered)}", client_secret=SECRETS[0], redirect_uri=redirect_uri)


@pytest.fixture
def plaza():
    adapter = engine.install(Platform())
    yield adapter
    engine.uninstall(adapter)


@pytest.fixture
def app(plaza, workspace, now):
    return apps.save(
        workspace=workspace, platform="plaza", client_id="our-id", client_secret=SECRETS[0], actor=ACTOR, now=now
    )


@pytest.fixture
def begin(people, now):
    """Begin a sign-in; the parameters of the address that the person is sent to."""

    def call(person=None, *, platform="plaza", browser="session", options=None, account=None):
        url = signin.start(
            workspace=people.workspace,
            platform=platform,
            options=options or {},
            person=person or people.owner,
            browser=browser,
            account=account,
            actor=ACTOR,
            now=now,
        )
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    return call


@pytest.fixture
def answer(people, now):
    def call(state, *, code=SECRETS[3], person=None, browser="session", at=now, **more):
        return signin.answered(state=state, code=code, person=person or people.owner, browser=browser, now=at, **more)

    return call


def connect(attempt, now, *chosen, **more):
    return signin.finish(attempt=attempt, chosen=chosen or (0,), timezone="Europe/Berlin", actor=ACTOR, now=now, **more)


def test_a_sign_in_connects_an_account_with_what_was_granted(plaza, app, begin, answer, now):
    plaza.expires_at = now + timedelta(hours=2)
    sent = begin()
    attempt = answer(sent["state"])
    [row] = connect(attempt, now)

    [(client, code, verifier)] = plaza.exchanged
    assert (client.client_id, client.client_secret, code) == ("our-id", SECRETS[0], SECRETS[3])
    assert client.redirect_uri == sent["redirect_uri"] == "http://127.0.0.1:8000/oauth/callback"
    assert challenge_of(verifier) == sent["code_challenge"]
    assert len(sent["state"]) > 40
    assert (row.handle, row.name, row.timezone, row.state) == ("Ana", "Ana", "Europe/Berlin", "active")
    assert dict(row.credentials) == {"token": SECRETS[1], "refresh_token": SECRETS[2]}
    assert (row.credentials_expire_at, row.refresh_state) == (plaza.expires_at, "ok")
    assert now < row.refresh_at < plaza.expires_at
    stored = SignInAttempt.objects.get()
    assert dict(stored.secrets) == {}
    assert sent["state"] not in str(vars(stored))


def test_an_answer_counts_once(plaza, app, begin, answer):
    state = begin()["state"]
    answer(state)
    with pytest.raises(signin.NotSignedIn, match="answered already"):
        answer(state)
    assert len(plaza.exchanged) == 1


@pytest.mark.parametrize("who", ["another browser", "another person"])
def test_an_answer_from_elsewhere_connects_nothing_and_uses_nothing_up(plaza, app, begin, answer, people, who):
    state = begin()["state"]
    elsewhere = {"browser": "other"} if who == "another browser" else {"person": people.author}
    with pytest.raises(signin.NotSignedIn, match="another browser"):
        answer(state, **elsewhere)
    assert plaza.exchanged == []
    assert answer(state).answered_at


@pytest.mark.parametrize("state", ["", "made-up"])
def test_a_state_that_nobody_sent_is_refused(plaza, app, begin, answer, state):
    begin()
    with pytest.raises(signin.NotSignedIn, match="no sign-in that was begun here"):
        answer(state)


def test_a_sign_in_that_takes_longer_than_ten_minutes_is_over(plaza, app, begin, answer, now):
    state = begin()["state"]
    with pytest.raises(signin.NotSignedIn, match="longer than ten minutes"):
        answer(state, at=now + timedelta(minutes=10))
    assert plaza.exchanged == []


def test_the_platforms_no_and_other_words_are_told_apart(plaza, app, begin, answer):
    with pytest.raises(signin.NotSignedIn, match="did not allow") as no:
        answer(begin()["state"], code="", error="access_denied")
    assert no.value.by_choice
    with pytest.raises(signin.NotSignedIn, match="It said: Try later") as other:
        answer(begin()["state"], code="", error="temporarily_unavailable", description="Try later")
    assert not other.value.by_choice
    assert plaza.exchanged == []


def test_a_failed_exchange_is_told_without_its_secrets_and_they_are_forgotten(plaza, app, begin, answer):
    plaza.fails = Unavailable("Refused for " + SECRETS[0], platform_message="bad code " + SECRETS[3])
    with pytest.raises(signin.NotSignedIn) as error:
        answer(begin()["state"])
    assert "Refused for" in str(error.value)
    assert "bad code" in str(error.value)
    assert not [secret for secret in SECRETS if secret in str(error.value)]
    assert dict(SignInAttempt.objects.get().secrets) == {}


def test_an_adapter_that_breaks_is_told_by_its_class_alone(plaza, app, begin, answer, caplog):
    plaza.fails = KeyError(SECRETS[1])
    with pytest.raises(signin.NotSignedIn, match="KeyError") as error:
        answer(begin()["state"])
    assert SECRETS[1] not in str(error.value) + caplog.text


def test_nothing_to_publish_to_is_said(plaza, app, begin, answer):
    plaza.found = []
    with pytest.raises(signin.NotSignedIn, match="nothing there that you may publish to"):
        answer(begin()["state"])


def test_missing_rights_are_named_and_must_be_accepted(plaza, app, begin, answer, now):
    plaza.given = frozenset({"read"})
    attempt = answer(begin()["state"])
    assert attempt.missing_scopes == ["post"]
    with pytest.raises(Refused, match="Rights are missing: post"):
        connect(attempt, now)
    assert not PlatformAccount.objects.exists()
    [row] = connect(attempt, now, despite_missing=True)
    assert row.missing_scopes == ["post"]


def test_signing_in_again_keeps_the_row_and_lets_its_posts_go(plaza, app, begin, answer, workspace, now):
    row = make_account(workspace, now, platform="plaza", name="Ana", handle="ana", options={"host": "h"}, daily_cap=5)
    make_schedule(workspace, [row], now)
    accounts.mark_needs_auth(account_id=row.pk, message="Gone.", actor=ACTOR, now=now)
    run_due(now)
    assert Job.objects.get().state != "completed"
    attempt = answer(begin(account=row)["state"])
    assert [(item.handle, item.account) for item in signin.choices(attempt)] == [("Ana", row)]

    [again] = connect(attempt, now)

    assert (again.pk, again.state, again.options, again.daily_cap) == (row.pk, "active", {"host": "h"}, 5)
    holds.release_held(now=now)
    run_due(now)
    assert Job.objects.get().state == "completed"
    assert plaza.calls[0].account.credentials["token"] == SECRETS[1]
    actions = list(AuditLog.objects.filter(object_type="account").order_by("id").values_list("action", flat=True))
    assert actions[-2:] == ["account.signed_in", "account.reconnected"]


def test_another_workspaces_account_of_the_same_handle_is_left_alone(plaza, app, begin, answer, people, now):
    theirs = make_account(people.other_workspace, now, platform="plaza", name="Ana", handle="Ana")
    attempt = answer(begin()["state"])
    assert signin.choices(attempt)[0].account is None
    [row] = connect(attempt, now)
    assert row.pk != theirs.pk
    theirs.refresh_from_db()
    assert dict(theirs.credentials) == {}


def test_without_an_app_a_person_is_told_where_to_enter_one(plaza, begin, settings):
    with pytest.raises(Refused, match="Sign-in apps"):
        begin()
    settings.SIGN_IN_APP_KEYS = {"plaza": ("installed-id", "x")}
    assert begin()["client_id"] == "installed-id"


def test_the_workspaces_own_app_goes_before_the_installations(plaza, app, begin, settings):
    settings.SIGN_IN_APP_KEYS = {"plaza": ("installed-id", "x")}
    assert begin()["client_id"] == "our-id"


def test_a_server_gives_out_one_app_and_another_for_another_redirect_address(begin, workspace, settings):
    adapter = engine.install(Registering())
    try:
        written = ("https://A.test", "https://a.test/", "https://b.test", "https://a.test")
        assert [begin(options={"host": host})["client_id"] for host in written] == ["c1", "c1", "c2", "c1"]
        settings.PUBLIC_URL = "https://posts.test"
        assert begin(options={"host": "https://a.test"})["client_id"] == "c3"
        with pytest.raises(Refused, match="private network") as error:
            begin(options={"host": "http://inside.test"})
        assert error.value.problems[0].field == "host"
        with pytest.raises(Refused, match="Fill this in"):
            begin(options={})
    finally:
        engine.uninstall(adapter)
    assert set(PlatformApp.objects.values_list("server", flat=True)) == {"https://a.test", "https://b.test"}


def test_an_address_that_is_no_web_address_is_nowhere_to_send_people(plaza, app, begin, monkeypatch):
    monkeypatch.setattr(Platform, "authorize_url", lambda *_, **__: "javascript:alert(1)")
    with pytest.raises(Refused, match="not the address of a server"):
        begin()
    assert not SignInAttempt.objects.exists()


def test_an_apps_secret_stays_with_its_client_id_alone(app, workspace, now):
    def save(client_id, secret=""):
        return apps.save(
            workspace=workspace, platform="plaza", client_id=client_id, client_secret=secret, actor=ACTOR, now=now
        )

    assert dict(save("our-id").secrets) == {"client_secret": SECRETS[0]}
    assert dict(save("another-id").secrets) == {}
    assert PlatformApp.objects.count() == 1


def test_old_attempts_are_forgotten_with_what_they_hold(plaza, app, begin, answer, now):
    answer(begin()["state"])
    assert signin.forget_old(now=now + timedelta(minutes=29)) == 0
    assert signin.forget_old(now=now + timedelta(minutes=31)) == 1
    assert not SignInAttempt.objects.exists()


def test_no_secret_is_in_the_history(plaza, app, begin, answer, now):
    connect(answer(begin()["state"]), now)
    told = str(list(AuditLog.objects.values()))
    assert "sign_in_app.saved" in told
    assert not [secret for secret in SECRETS if secret in told]


def test_accounts_of_one_sign_in_are_renewed_once_and_together(plaza, app, begin, answer, now):
    both = {"token": SECRETS[1], "refresh_token": SECRETS[2]}
    plaza.found = [Place(handle=name, name=name, credentials=both) for name in ("one", "two")]
    plaza.found.append(Place(handle="own", name="own", credentials={**both, "token": "own token"}))
    plaza.expires_at = now + timedelta(hours=2)
    connect(answer(begin()["state"]), now, 0, 1, 2)
    due = PlatformAccount.objects.order_by("id").first().refresh_at
    refreshing.plan(now=due)
    assert CredentialRefresh.objects.values("serial_key").distinct().count() == 1

    plaza.clock = due
    first = claim_due(due, worker="a")
    assert (len(first), claim_due(due, worker="b")) == (1, [])
    for kind, claim, task in first:
        kind.finish([(claim, task, kind.perform(task))], due)
    refreshing.plan(now=due)

    held = {row.handle: dict(row.credentials) for row in PlatformAccount.objects.all()}
    assert held["one"] == held["two"] == {"token": "fresh", "refresh_token": "r1"}
    # what it holds besides is its own, and stays; its part of what was used up does not
    assert held["own"] == {"token": "own token", "refresh_token": "r1"}
    assert PlatformAccount.objects.get(handle="own").refresh_at == due


def test_a_renewal_that_outlives_its_account_still_reaches_who_shares_its_sign_in(plaza, app, begin, answer, now):
    both = {"token": SECRETS[1], "refresh_token": SECRETS[2]}
    plaza.found = [Place(handle=name, name=name, credentials=both) for name in ("one", "two")]
    plaza.expires_at = now + timedelta(hours=2)
    connect(answer(begin()["state"]), now, 0, 1)
    due = PlatformAccount.objects.first().refresh_at
    refreshing.plan(now=due)
    [(kind, claim, task)] = claim_due(due)
    result = kind.perform(task)
    mine = PlatformAccount.objects.get(pk=task.account.id)
    accounts.disconnect(account=mine, actor=ACTOR, now=due)

    kind.finish([(claim, task, result)], due)

    mine.refresh_from_db()
    assert dict(mine.credentials) == {}
    other = PlatformAccount.objects.exclude(pk=mine.pk).get()
    assert dict(other.credentials) == {"token": "fresh", "refresh_token": "r1"}


def test_renewals_planned_before_two_accounts_came_to_share_a_sign_in_wait_for_each_other(
    plaza, app, begin, answer, workspace, now
):
    rows = [
        make_account(workspace, now, platform="plaza", name=name, credentials={"refresh_token": name})
        for name in ("one", "two")
    ]
    refreshing.plan(now=now)
    both = {"token": SECRETS[1], "refresh_token": SECRETS[2]}
    plaza.found = [Place(handle=row.handle, name=row.name, credentials=both) for row in rows]
    connect(answer(begin()["state"]), now, 0, 1)

    claimed = claim_due(now, worker="a") + claim_due(now, worker="b")
    assert len([item for item in claimed if item[0].name == "refresh"]) == 1


@pytest.mark.xdist_group("oidc_provider")
@pytest.mark.skipif(bool(real.missing("oidc_provider")), reason=real.missing("oidc_provider"))
def test_rotating_tokens_of_a_real_provider_survive_our_own_concurrency(begin, answer, people, now):
    """Two accounts of one grant, two workers, three rounds of renewal: a used token sent again would end the whole grant."""
    server = real.start("oidc_provider")["issuer"]
    adapter = engine.install(OidcAdapter())
    try:
        apps.save(
            workspace=people.workspace, platform="oidc", server=server, client_id=CLIENT[0], client_secret=CLIENT[1],
            actor=ACTOR, now=now,
        )  # fmt: skip
        url = signin.start(
            workspace=people.workspace, platform="oidc", options={"server": server}, person=people.owner, browser="session",
            actor=ACTOR, now=now,
        )  # fmt: skip
        back = walk(url, apps.redirect_uri(), "bob")
        rows = connect(answer(back["state"], code=back["code"]), now, 0, 1)
        assert {row.handle for row in rows} == {"bob", "bob-cafe"}
        for turn in range(1, 4):
            at = now + timedelta(minutes=turn)
            PlatformAccount.objects.update(refresh_at=at)
            refreshing.plan(now=at)
            tasks = claim_due(at, worker="a") + claim_due(at, worker="b")
            for kind, claim, task in tasks:
                kind.finish([(claim, task, kind.perform(task))], at)
            run_due(at)
        assert len(set(adapter.renewals)) == len(adapter.renewals) >= 3
        states = set(PlatformAccount.objects.values_list("state", "refresh_state"))
        assert states == {("active", "ok")}
        assert [accounts.check_now(row).identity for row in PlatformAccount.objects.all()] == ["@bob", "@bob"]
        # and the provider does notice a used token: what we guard against is real
        PlatformAccount.objects.filter(pk=rows[0].pk).update(
            credentials={**PlatformAccount.objects.get(pk=rows[0].pk).credentials, "refresh_token": adapter.renewals[0]}
        )
        PlatformAccount.objects.update(refresh_at=now + timedelta(hours=1))
        refreshing.plan(now=now + timedelta(hours=1))
        run_due(now + timedelta(hours=1))
        assert PlatformAccount.objects.get(pk=rows[0].pk).state == "needs_auth"
    finally:
        engine.uninstall(adapter)
