"""The palette: pages, posts, accounts and verbs, grouped, only what this person may; and the list of shortcuts."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from alwrity_scheduler.workspaces import services as workspaces
from schedules.web import shortcuts
from tests.conftest import NOW
from tests.people import ACTOR, make_account


def found(client, **values):
    """{group: [(title, address)]}"""
    body = client.get(reverse("web:find"), values).content.decode()
    groups = {}
    for part in body.split('<div role="group"')[1:]:
        title = re.search(r'class="kind"[^>]*>([^<]+)<', part)[1]
        rows = re.findall(
            r'<(?:a|button)[^>]*?(?:href|formaction|data-open)="([^"]*)".*?<span dir="auto">([^<]*)<', part
        )
        groups[title] = [(words, address) for address, words in rows]
    return groups


def test_it_finds_pages_verbs_posts_and_accounts_in_their_groups(owner, team, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        told = found(owner, q="har")
    assert told == {"Accounts": [("Harbour", reverse("web:account", args=[team.account.public_id]))]}
    assert found(owner, q="title")["Posts"]
    assert found(owner, q="colours dark")["Do"] == [("Colours: dark", reverse("web:choose", args=["theme", "dark"]))]
    assert found(owner, q="theme")["Do"][0][0] == "Colours: dark"
    assert "Pages" in found(owner)
    assert "Nothing is called" in owner.get(reverse("web:find"), {"q": "zzz"}).content.decode()


def test_it_offers_only_what_the_person_may(owner, viewer):
    verbs = {words for words, _address in found(owner)["Do"]}
    few = {words for words, _address in found(viewer)["Do"]}

    assert {"New post", "Pause the workspace Team", "Retry failed posts…"} <= verbs
    assert few.isdisjoint({"New post", "Pause the workspace Team", "Retry failed posts…"})
    assert {"Sign out", "Colours: dark", "Keyboard shortcuts"} <= few
    assert "Switch to the workspace Elsewhere" not in verbs


def test_verbs_are_posts_with_an_undo(owner, team):
    workspaces.set_role(
        workspace=team.people.other_workspace, user=team.people.owner, role="viewer", actor=ACTOR, now=NOW
    )
    [(_words, switch)] = found(owner, q="elsewhere")["Do"]
    body = owner.get(reverse("web:find"), {"q": "elsewhere"}).content.decode()
    assert (switch, f'name="workspace" value="{team.people.other_workspace.public_id}"' in body) == (
        reverse("web:switch_workspace"), True,
    )  # fmt: skip

    paused = owner.post(reverse("web:pause_workspace"), {"next": "/app/jobs/"}, follow=True).content.decode()
    assert f'action="{reverse("web:resume_workspace")}"' in paused
    assert [words for words, _ in found(owner, q="workspace team")["Do"]] == ["Resume the workspace Team"]


def test_what_was_chosen_lately_is_named_by_the_server_to_those_who_may_know(owner, stranger, team):
    hidden = make_account(team.people.other_workspace, NOW, name="Secret")
    asked = [
        reverse("web:account", args=[team.account.public_id]),
        reverse("web:schedule", args=[team.daily.public_id]),
        reverse("web:jobs"),
        reverse("web:account", args=[hidden.public_id]),
        "//evil.example/x",
    ]

    told = found(owner, recent=asked)["Recent"]
    assert [address for _words, address in told] == asked[:3]
    assert [words for words, _ in told][::2] == ["Harbour", "Jobs"]
    assert [words for words, _ in found(stranger, recent=asked)["Recent"]] == ["Jobs", "Secret"]
    assert "Recent" not in found(owner, q="jobs", recent=asked)


@pytest.mark.django_db
def test_every_shortcut_is_listed_and_every_letter_after_g_leads_somewhere(owner):
    body = owner.get(reverse("web:jobs")).content.decode()

    for group in shortcuts.GROUPS:
        assert str(group.title) in body
    assert sum(len(group.shortcuts) for group in shortcuts.GROUPS) == body.count("<dt><kbd>")
    assert {"d", "l", "j", "a", "r"} <= set(re.findall(r'data-go="(\w)"', body))
    assert len(set(shortcuts.GO.values())) == len(shortcuts.GO)
