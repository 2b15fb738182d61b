"""The media library's pages: found, narrowed, described, moved, deleted and brought back; each by who may."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from platforms.models import MediaAsset, MediaFolder
from platforms.services import folders, media
from schedules.models import ContentMedia
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import ACTOR

LIBRARY = "/app/media/"


@pytest.fixture(autouse=True)
def folder_on_disk(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def picture(colour="teal", kind="PNG", size=(40, 30)):
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, kind)
    return target.getvalue()


@pytest.fixture
def store(team):
    def keep(name="pier.png", colour="teal", workspace=None, **values):
        return media.store_upload(
            workspace=workspace or team.workspace, file=SimpleUploadedFile(name, picture(colour)), name=name, actor=ACTOR, now=NOW,
            **values,
        )  # fmt: skip

    return keep


@pytest.fixture
def make_folder(team):
    return lambda name="Campaigns", **values: folders.create(
        workspace=team.workspace, name=name, actor=ACTOR, now=NOW, **values
    )


def names(response):
    return [asset.original_name for asset in response.context["page"]]


def test_an_empty_library_says_what_to_do(author, viewer):
    page = author.get(LIBRARY)
    assert page.status_code == 200
    assert "No files yet" in page.text
    assert 'name="files"' in page.text
    assert 'name="files"' not in viewer.get(LIBRARY).text


def test_the_library_is_searched_narrowed_and_sorted(author, team, store, make_folder):
    folder = make_folder()
    store("pier.png", "red", alt_text="A lamp", folder=folder)
    store("boat.png", "blue")
    used = store("anchor.png", "green")
    ContentMedia.objects.create(content=team.draft.content, asset=used, position=0)
    for query, found in (
        ("", {"pier.png", "boat.png", "anchor.png"}),
        ("?q=LAMP", {"pier.png"}),
        ("?q=boat", {"boat.png"}),
        ("?show=no_alt", {"boat.png", "anchor.png"}),
        ("?show=unused", {"pier.png", "boat.png"}),
        ("?kind=video", set()),
        (f"?folder={folder.public_id}", {"pier.png"}),
        ("?folder=none", {"boat.png", "anchor.png"}),
        ("?folder=nonsense", {"pier.png", "boat.png", "anchor.png"}),
    ):
        assert set(names(author.get(LIBRARY + query))) == found, query
    assert names(author.get(LIBRARY + "?sort=name")) == ["anchor.png", "boat.png", "pier.png"]
    assert "No file matches" in author.get(LIBRARY + "?q=zebra").text
    assert "<html" not in author.get(LIBRARY, headers=HTMX).text


def test_paging_keeps_the_filters(author, store, monkeypatch):
    from schedules.web.views import media as views

    monkeypatch.setattr(views, "PER_PAGE", 2)
    for colour in ("red", "green", "blue"):
        store(f"{colour}.png", colour)
    first = author.get(LIBRARY + "?show=unused&sort=name")
    assert names(first) == ["blue.png", "green.png"]
    assert "show=unused&amp;sort=name&amp;page=2" in first.text
    assert names(author.get(LIBRARY + "?show=unused&sort=name&page=2")) == ["red.png"]


def test_files_are_added_without_script_each_with_its_own_error(author, make_folder):
    folder = make_folder()
    files = [
        SimpleUploadedFile("a.png", picture("red")),
        SimpleUploadedFile("b.exe", b"MZ.."),
        SimpleUploadedFile("c.png", picture()),
    ]
    page = author.post(
        reverse("web:media_add"), {"files": files, "folder": str(folder.public_id), "next": LIBRARY}, follow=True
    )
    assert set(MediaAsset.objects.values_list("original_name", "folder")) == {
        ("a.png", folder.pk),
        ("c.png", folder.pk),
    }
    assert "Added 2 files" in page.text
    assert "“b.exe” was not added. This file is not one that platforms take" in page.text


def test_the_script_gets_an_answer_for_each_file(author):
    json = {"Accept": "application/json"}
    good = author.post(reverse("web:media_add"), {"files": SimpleUploadedFile("a.png", picture())}, headers=json)
    assert (good.status_code, good.json()) == (200, {"kept": ["a.png"], "problems": []})
    bad = author.post(reverse("web:media_add"), {"files": SimpleUploadedFile("b.exe", b"MZ..")}, headers=json)
    assert (bad.status_code, bad.json()["kept"]) == (422, [])
    assert bad.json()["problems"][0].startswith("“b.exe” was not added")


def test_nothing_chosen_is_said(author):
    assert "Choose a file" in author.post(reverse("web:media_add"), {}, follow=True).text


def test_a_private_address_is_not_fetched(author, settings):
    settings.OUTBOUND_ALLOW = []
    page = author.post(reverse("web:media_add"), {"url": "http://127.0.0.1:9/x.png"}, follow=True)
    assert "private network" in page.text
    assert not MediaAsset.objects.exists()


def test_a_file_is_described_named_and_put_away(author, store, make_folder):
    asset, folder = store(), make_folder()
    page = reverse("web:media_asset", args=[asset.public_id])
    assert "Nobody has described" in author.get(page).text
    given = {"name": "Lamp at night", "alt_text": "A lamp", "folder": str(folder.public_id)}
    assert author.post(page, given).status_code == 303
    asset.refresh_from_db()
    assert (asset.original_name, asset.alt_text, asset.folder) == ("Lamp at night.png", "A lamp", folder)

    refused = author.post(page, {**given, "name": " "})
    assert refused.status_code == 422
    assert "err_name" in refused.text


def test_the_page_of_a_file_links_the_posts_that_show_it(author, team, store):
    asset = store()
    ContentMedia.objects.create(content=team.draft.content, asset=asset, position=0)
    text = author.get(reverse("web:media_asset", args=[asset.public_id])).text
    assert reverse("web:schedule", args=[team.draft.public_id]) in text
    assert reverse("web:media_act", args=[asset.public_id, "delete"]) not in text

    page = author.post(reverse("web:media_act", args=[asset.public_id, "delete"]), follow=True)
    assert "is used by “A title”" in page.text
    assert MediaAsset.objects.filter(pk=asset.pk).exists()


def test_a_deleted_file_comes_back_with_undo(author, store, client):
    asset = store()
    page = author.post(reverse("web:media_act", args=[asset.public_id, "delete"]), follow=True)
    undo = reverse("web:media_act", args=[asset.public_id, "restore"])
    assert undo in page.text
    assert author.get(reverse("web:media_asset", args=[asset.public_id])).status_code == 404
    assert author.get(media.media_path_of(asset)).status_code == 404
    assert author.get(media.thumbnail_path_of(asset)).status_code == 404
    author.post(undo)
    assert author.get(reverse("web:media_asset", args=[asset.public_id])).status_code == 200


def test_many_are_moved_deleted_all_or_none_and_brought_back(author, team, store, make_folder):
    folder, rows = make_folder(), [store(f"{colour}.png", colour) for colour in ("red", "green", "blue")]
    ids = [str(row.public_id) for row in rows]
    many = reverse("web:media_many")
    author.post(many, {"verb": "move", "asset": ids[:2], "to": str(folder.public_id)})
    assert folder.assets.count() == 2

    ContentMedia.objects.create(content=team.draft.content, asset=rows[0], position=0)
    assert "is used by" in author.post(many, {"verb": "delete", "asset": ids}, follow=True).text
    assert MediaAsset.objects.count() == 3

    author.post(many, {"verb": "delete", "asset": ids[1:]})
    assert MediaAsset.objects.count() == 1
    author.post(reverse("web:media_restore_many") + f"?asset={ids[1]}&asset={ids[2]}&asset=nonsense")
    assert MediaAsset.objects.count() == 3
    assert "Choose files first" in author.post(many, {"verb": "delete"}, follow=True).text


def test_folders_are_made_renamed_moved_and_removed(author, store, make_folder):
    top = make_folder("Campaigns")
    author.post(reverse("web:media_folder_new"), {"name": " Spring ", "parent": str(top.public_id)})
    inner = MediaFolder.objects.get(name="Spring")
    assert inner.parent == top
    asset = store(folder=inner)
    assert "Spring" in author.get(LIBRARY).text

    change = reverse("web:media_folder", args=[inner.public_id, "change"])
    author.post(change, {"name": "Summer", "parent": ""})
    inner.refresh_from_db()
    assert (inner.name, inner.parent) == ("Summer", None)
    assert "already" in author.post(change, {"name": "campaigns", "parent": ""}, follow=True).text
    assert "itself" not in author.post(change, {"name": "Summer", "parent": str(top.public_id)}, follow=True).text

    page = author.post(reverse("web:media_folder", args=[top.public_id, "remove"]), follow=True)
    assert "1 file moved" in page.text
    asset.refresh_from_db()
    assert asset.folder is None
    assert not MediaFolder.objects.exists()


def test_the_picker_finds_and_keeps_what_was_chosen(author, store):
    chosen, other = store("pier.png", "red"), store("boat.png", "blue")
    page = author.get(reverse("web:media_pick"), {"media": str(chosen.public_id), "media_q": "boat"}, headers=HTMX)
    assert [(item.asset.pk, item.checked) for item in page.context["media"]] == [(chosen.pk, True), (other.pk, False)]
    assert "<html" not in page.text
    assert f'value="{chosen.public_id}" checked' in page.text


def test_the_picker_takes_several_files_and_keeps_the_words_of_those_refused(author):
    files = [SimpleUploadedFile("a.png", picture("red")), SimpleUploadedFile("b.exe", b"MZ..")]
    page = author.post(reverse("web:media_upload"), {"upload": files, "upload_alt": "Red"}, headers=HTMX)
    assert page.status_code == 422
    assert "“b.exe” was not added" in page.text
    assert [item.asset.alt_text for item in page.context["media"] if item.checked] == ["Red"]


def test_who_may_only_look_changes_nothing(viewer, store, make_folder):
    asset, folder = store(), make_folder()
    assert viewer.get(LIBRARY).status_code == 200
    assert viewer.get(reverse("web:media_asset", args=[asset.public_id])).status_code == 200
    for address in (
        reverse("web:media_asset", args=[asset.public_id]),
        reverse("web:media_act", args=[asset.public_id, "delete"]),
        reverse("web:media_act", args=[asset.public_id, "restore"]),
        reverse("web:media_add"),
        reverse("web:media_upload"),
        reverse("web:media_many"),
        reverse("web:media_restore_many"),
        reverse("web:media_folder_new"),
        reverse("web:media_folder", args=[folder.public_id, "remove"]),
    ):
        assert viewer.post(address, {"name": "x"}).status_code == 403, address
    assert MediaAsset.objects.count() == MediaFolder.objects.count() == 1


def test_strangers_find_nothing(stranger, store, make_folder):
    asset, folder = store(), make_folder()
    assert names(stranger.get(LIBRARY)) == []
    assert "Campaigns" not in stranger.get(LIBRARY).text
    assert not stranger.get(reverse("web:media_pick"), {"media": str(asset.public_id)}).context["media"]
    for address in (
        reverse("web:media_asset", args=[asset.public_id]),
        reverse("web:media_act", args=[asset.public_id, "delete"]),
        reverse("web:media_folder", args=[folder.public_id, "remove"]),
    ):
        assert stranger.post(address).status_code == 404, address
    assert stranger.get(media.thumbnail_path_of(asset)).status_code == 404
    stranger.post(reverse("web:media_many"), {"verb": "delete", "asset": str(asset.public_id)})
    assert MediaAsset.objects.filter(pk=asset.pk).exists()


def test_the_picker_keeps_a_description_that_is_being_written(author, store):
    asset = store()
    typed = {"media": str(asset.public_id), f"alt-{asset.public_id}": "Half a sent", "media_q": ""}
    page = author.post(reverse("web:media_pick"), typed, headers=HTMX)
    assert page.context["media"][0].asset.alt_text == "Half a sent"
    asset.refresh_from_db()
    assert asset.alt_text == ""


def test_the_composer_without_script_takes_several_files_and_addresses(author, team, settings):
    settings.OUTBOUND_ALLOW = []
    files = [SimpleUploadedFile("a.png", picture("red")), SimpleUploadedFile("b.png", picture("blue"))]
    page = author.post(reverse("web:schedule_new"), {"text": "x", "upload": files, "action": "upload"})
    assert [item.asset.original_name for item in page.context["media"] if item.checked] == ["a.png", "b.png"]
    given = {"text": "x", "upload_url": "http://127.0.0.1:9/x.png", "action": "upload"}
    page = author.post(reverse("web:schedule_new"), given)
    assert page.status_code == 422
    assert "private network" in page.text
