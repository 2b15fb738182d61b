"""Connecting, changing, pausing, losing and regaining an account: what is stored, what is told, what is kept secret."""

from __future__ import annotations

import pytest
from django.core import serializers

from alwrity_scheduler.core import events, secrets
from alwrity_scheduler.core.errors import IllegalTransition, Refused, StaleVersion
from platforms.contracts import AccountHealth
from platforms.models import CircuitState, PlatformAccount
from platforms.registry import adapter_for
from platforms.services import accounts
from platforms.services.publishing import account_ref
from tests.people import make_account

pytestmark = pytest.mark.django_db
URL = "https://api.test/publish"


@pytest.fixture
def facts(monkeypatch):
    told: list[events.Fact] = []
    monkeypatch.setattr(events, "_sinks", [told.extend])
    return told


@pytest.fixture
def account(workspace, now):
    return make_account(workspace, now)


@pytest.fixture
def http_account(workspace, now):
    return make_account(
        workspace,
        now,
        platform="http",
        name="Own",
        options={"publish_url": URL},
        credentials={"bearer_token": "hush-hush"},
    )


def test_connecting_stores_the_account_and_tells_it(workspace, actor, now, facts):
    account = accounts.connect(
        workspace=workspace, platform="sandbox", name="News", handle="@news", actor=actor, now=now
    )
    assert (account.state, account.handle, account.version, account.created_at) == ("active", "news", 1, now)
    (fact,) = facts
    assert (fact.name, fact.object_type, fact.object_id) == ("account.connected", "account", str(account.public_id))
    assert fact.workspace_id == workspace.pk


def test_an_empty_signing_secret_is_made_and_can_be_shown_once(http_account):
    made = accounts.generated(http_account, {"bearer_token": "hush-hush"})
    assert list(made) == ["signing_secret"]
    assert made["signing_secret"].startswith("whsec_")
    again = PlatformAccount.objects.get(pk=http_account.pk)
    assert account_ref(again).credentials == {"bearer_token": "hush-hush", **made}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"platform": "myspace"}, "platform"),
        ({"name": " "}, "name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"platform": "http", "options": {}}, "publish_url"),
        (
            {"platform": "http", "options": {"publish_url": URL}, "credentials": {"signing_secret": "whsec_!"}},
            "signing_secret",
        ),
        ({"options": {"fault_mode": "explode"}}, "fault_mode"),
    ],
)
def test_wrong_settings_are_refused_with_their_field(workspace, actor, now, values, field):
    with pytest.raises(Refused) as caught:
        accounts.connect(
            **{"workspace": workspace, "platform": "sandbox", "name": "News", "actor": actor, "now": now, **values}
        )
    assert field in [problem.field for problem in caught.value.problems]
    assert not PlatformAccount.objects.exists()


def test_a_handle_is_taken_once_a_workspace(people, account, now):
    with pytest.raises(Refused, match="already"):
        make_account(people.workspace, now)
    assert make_account(people.other_workspace, now).handle == account.handle


def test_credentials_never_leave_the_row_in_the_clear(http_account, facts, actor, now):
    accounts.set_credentials(account=http_account, credentials={"bearer_token": "brand-new-hush"}, actor=actor, now=now)
    row = PlatformAccount.objects.get(pk=http_account.pk)
    with_dump = serializers.serialize("json", [row])
    said = f"{row!r} {row.credentials!r} {account_ref(row)!r} {facts!r} {with_dump}"
    assert "hush" not in said
    assert "whsec_" not in said
    stored = (
        PlatformAccount.objects.filter(pk=row.pk).extra(select={"raw": "credentials"}).values_list("raw", flat=True)[0]
    )
    assert "hush" not in str(stored)
    assert [fact.after for fact in facts] == [{"changed": ["bearer_token"]}]


def test_an_empty_value_never_overwrites_a_stored_secret(http_account, actor, now, facts):
    before = account_ref(http_account).credentials
    accounts.set_credentials(
        account=http_account, credentials={"bearer_token": " ", "signing_secret": ""}, actor=actor, now=now
    )
    assert account_ref(PlatformAccount.objects.get(pk=http_account.pk)).credentials == before
    assert facts == []


def test_an_unknown_secret_is_refused(http_account, actor, now):
    with pytest.raises(Refused):
        accounts.set_credentials(account=http_account, credentials={"password": "x"}, actor=actor, now=now)


def test_a_lost_key_breaks_use_and_not_listing(http_account, settings, actor, now):
    settings.ENCRYPTION_KEYS = [secrets.generate_key()]
    row = PlatformAccount.objects.get(pk=http_account.pk)
    assert "Own" in str(row)
    with pytest.raises(secrets.CannotDecrypt, match="ENCRYPTION_KEYS"):
        account_ref(row)
    assert not accounts.check_now(row).ok
    accounts.update_settings(account=row, changes={"name": "Renamed"}, actor=actor, now=now)
    accounts.set_credentials(account=row, credentials={"bearer_token": "entered-anew"}, actor=actor, now=now)
    assert account_ref(PlatformAccount.objects.get(pk=row.pk)).credentials == {"bearer_token": "entered-anew"}


def test_changing_settings_names_the_fields_and_not_their_values(http_account, actor, now, facts):
    changes = {"options": {"publish_url": "https://secret-place.test/?token=x"}, "hourly_cap": 5}
    changed = accounts.update_settings(account=http_account, changes=changes, version=1, actor=actor, now=now)
    assert (changed.hourly_cap, changed.version) == (5, 2)
    assert [(fact.name, fact.after) for fact in facts] == [
        ("account.settings_changed", {"changed": ["hourly_cap", "options.publish_url"]})
    ]


def test_an_old_version_is_refused_and_no_change_is_no_fact(account, actor, now, facts):
    accounts.update_settings(account=account, changes={"name": "News"}, version=1, actor=actor, now=now)
    assert facts == []
    accounts.update_settings(account=account, changes={"name": "Other"}, version=1, actor=actor, now=now)
    with pytest.raises(StaleVersion):
        accounts.update_settings(account=account, changes={"name": "Third"}, version=1, actor=actor, now=now)


def test_what_cannot_be_changed_is_refused(account, actor, now):
    with pytest.raises(Refused):
        accounts.update_settings(account=account, changes={"state": "active"}, actor=actor, now=now)
    with pytest.raises(Refused):
        accounts.update_settings(account=account, changes={"hourly_cap": -1}, actor=actor, now=now)


def test_pause_and_resume_tell_each_once(account, actor, now, facts):
    for _ in range(2):
        assert accounts.pause(account=account, reason="Holiday", actor=actor, now=now).state == "paused"
    for _ in range(2):
        assert accounts.resume(account=account, actor=actor, now=now).state == "active"
    assert [fact.name for fact in facts] == ["account.paused", "account.resumed"]
    assert facts[0].after == {"state": "paused", "reason": "Holiday"}


def test_a_lost_sign_in_is_told_once_and_ends_with_reconnecting(account, actor, now, facts):
    CircuitState.objects.create(account=account, failures=3)
    assert accounts.mark_needs_auth(account_id=account.pk, message="Token revoked.", actor=actor, now=now)
    assert not accounts.mark_needs_auth(account_id=account.pk, message="Token revoked.", actor=actor, now=now)
    with pytest.raises(IllegalTransition):
        accounts.resume(account=account, actor=actor, now=now)
    back = accounts.reconnect(account=account, actor=actor, now=now)
    assert (back.state, back.state_reason) == ("active", "")
    assert not CircuitState.objects.exists()
    assert [fact.name for fact in facts] == ["account.auth_lost", "account.reconnected"]


def test_disconnecting_forgets_the_credentials_and_keeps_the_row(http_account, actor, now):
    accounts.disconnect(account=http_account, actor=actor, now=now)
    row = PlatformAccount.objects.get(pk=http_account.pk)
    assert (row.state, dict(row.credentials)) == ("disconnected", {})
    assert not accounts.mark_needs_auth(account_id=row.pk, message="x", actor=actor, now=now)


def test_an_account_whose_adapter_is_gone_stays(account, actor, now):
    PlatformAccount.objects.filter(pk=account.pk).update(platform="gone")
    row = PlatformAccount.objects.get(pk=account.pk)
    assert "not installed" in accounts.check_now(row).message
    assert accounts.pause(account=row, actor=actor, now=now).state == "paused"


def test_only_members_see_an_account(people, account):
    def seen(user):
        return list(PlatformAccount.objects.visible_to(user))

    assert seen(people.owner) == seen(people.author) == seen(people.viewer) == [account]
    assert seen(people.stranger) == []


def test_what_a_platform_says_of_an_account_is_kept_when_the_test_succeeds(
    http_account, actor, now, facts, monkeypatch
):
    adapter = adapter_for("http")
    told = AccountHealth(ok=True, message="Hello.", options={"limits": {"text": 5000}})
    monkeypatch.setattr(adapter, "verify", lambda account, *, timeout: told, raising=False)
    assert accounts.put_to_the_test(account=http_account, actor=actor, now=now) == told
    row = PlatformAccount.objects.get(pk=http_account.pk)
    assert row.options["limits"] == {"text": 5000}
    assert row.options["publish_url"] == http_account.options["publish_url"]
    assert [fact.after for fact in facts] == [{"changed": ["options.limits"]}]

    accounts.put_to_the_test(account=row, actor=actor, now=now)
    assert len(facts) == 1

    refused = AccountHealth(ok=False, message="No.", options={"limits": {"text": 1}})
    monkeypatch.setattr(adapter, "verify", lambda account, *, timeout: refused, raising=False)
    accounts.put_to_the_test(account=row, actor=actor, now=now)
    assert PlatformAccount.objects.get(pk=row.pk).options["limits"] == {"text": 5000}
