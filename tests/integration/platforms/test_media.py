"""Media: what is kept, what is refused, what is stripped, and who may fetch it."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from alwrity_scheduler.core import events
from alwrity_scheduler.core.errors import Refused
from platforms.models import MediaAsset
from platforms.services import media

pytestmark = pytest.mark.django_db
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(64)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def picture(kind="PNG", size=(40, 30), **values):
    target = io.BytesIO()
    Image.new("RGB", size, "teal").save(target, kind, **values)
    return target.getvalue()


def content_of(asset):
    with asset.file.open("rb") as file:
        return file.read()


@pytest.fixture
def store(workspace, actor, now):
    def upload(content, name="photo.png", **values):
        values = {"workspace": workspace, "actor": actor, "now": now, **values}
        return media.store_upload(file=SimpleUploadedFile(name, content, "text/html"), name=name, **values)

    return upload


@pytest.mark.parametrize(
    ("content", "kind", "mime", "size"),
    [
        (picture("PNG"), "image", "image/png", (40, 30)),
        (picture("JPEG"), "image", "image/jpeg", (40, 30)),
        (picture("GIF"), "image", "image/gif", (40, 30)),
        (picture("WEBP"), "image", "image/webp", (40, 30)),
        (MP4, "video", "video/mp4", (None, None)),
        (MP4.replace(b"ftypisom", b"ftypqt  "), "video", "video/quicktime", (None, None)),
        (MP4.replace(b"ftypisom", b"ftypM4A "), "audio", "audio/mp4", (None, None)),
        (b"%PDF-1.7\n" + bytes(20), "document", "application/pdf", (None, None)),
    ],
)
def test_the_type_is_read_from_the_content_and_not_from_the_name(store, content, kind, mime, size):
    asset = store(content, name="anything.exe")
    assert (asset.kind, asset.mime, (asset.width, asset.height)) == (kind, mime, size)
    assert not asset.file.name.endswith("exe")
    assert content_of(asset) == content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "JPEG, PNG"),
        (b"<html><script>alert(1)</script></html>", "JPEG, PNG"),
        (b"MZ\x90\x00", "JPEG, PNG"),
        (picture("BMP"), "JPEG, PNG"),
        (picture("PNG")[:60], "damaged"),
        (MP4.replace(b"ftypisom", b"ftypheic"), "JPEG, PNG"),
        (b"", "empty"),
    ],
)
def test_what_platforms_do_not_take_is_refused_in_words(store, content, words, folder):
    with pytest.raises(Refused, match=words):
        store(content)
    assert not MediaAsset.objects.exists()
    assert not any(folder.rglob("*.*"))


def test_too_large_and_too_many_pixels_are_refused(store, settings, monkeypatch):
    settings.MEDIA_MAX_BYTES = 50
    with pytest.raises(Refused, match="larger than"):
        store(picture("PNG"))
    settings.MEDIA_MAX_BYTES = 10_000
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(Refused, match="pixels"):
        store(picture("PNG"))


def test_a_jpeg_loses_its_location_and_nothing_else(store):
    exif = Image.Exif()
    exif[0x010F] = "Camera Maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    original = picture("JPEG", exif=exif.tobytes(), comment=b"kept")
    assert Image.open(io.BytesIO(original)).getexif().get_ifd(0x8825)
    stored = content_of(store(original))
    image = Image.open(io.BytesIO(stored))
    assert not image.getexif().get_ifd(0x8825)
    assert image.getexif()[0x010F] == "Camera Maker"
    assert image.info["comment"] == b"kept"
    scan = original.index(b"\xff\xda")
    assert stored.endswith(original[scan:])  # the picture itself is not encoded anew


def test_an_xmp_packet_that_names_gps_goes_too(store):
    packet = b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta exif:GPSLatitude='52,31N'/>"
    jpeg = picture("JPEG")
    segment = b"\xff\xe1" + (len(packet) + 2).to_bytes(2, "big") + packet
    assert b"GPSLatitude" not in content_of(store(jpeg[:2] + segment + jpeg[2:]))


def test_the_same_content_is_kept_once_a_workspace(store, people, monkeypatch):
    told: list[events.Fact] = []
    monkeypatch.setattr(events, "_sinks", [told.extend])
    first, second = store(picture()), store(picture(), name="copy.png")
    elsewhere = store(picture(), workspace=people.other_workspace)
    assert first == second != elsewhere
    assert [(fact.name, fact.after["mime"]) for fact in told] == [("media.stored", "image/png")] * 2


def test_alt_text_is_told_once_and_bounded(store, actor, now, monkeypatch):
    asset = store(picture())
    told: list[events.Fact] = []
    monkeypatch.setattr(events, "_sinks", [told.extend])
    for _ in range(2):
        asset = media.set_alt_text(asset=asset, alt_text=" A teal square ", actor=actor, now=now)
    assert asset.alt_text == "A teal square"
    assert [fact.after for fact in told] == [{"alt_text": "A teal square"}]
    with pytest.raises(Refused):
        media.set_alt_text(asset=asset, alt_text="x" * 1501, actor=actor, now=now)


def test_a_failed_row_leaves_no_file(store, folder, monkeypatch):
    def refuse(facts):
        raise RuntimeError

    monkeypatch.setattr(events, "_sinks", [refuse])
    with pytest.raises(RuntimeError):
        store(picture())
    assert not any(folder.rglob("*.png"))


def test_members_fetch_a_file_and_strangers_get_404(client, people, store):
    asset = store(picture(), name="../../Grüße aus <b>.png")
    path = media.media_path_of(asset)
    for user in (people.owner, people.author, people.viewer):
        client.force_login(user)
        answer = client.get(path)
        assert (answer.status_code, answer["Content-Type"], answer["X-Content-Type-Options"]) == (
            200,
            "image/png",
            "nosniff",
        )
        assert answer["Content-Disposition"].startswith("inline")
        assert b"".join(answer.streaming_content) == picture()  # reading to the end closes the file
    client.force_login(people.stranger)
    assert client.get(path).status_code == 404
    client.logout()
    assert client.get(path).status_code == 302


def test_a_document_is_downloaded_and_not_shown(client, people, store):
    asset = store(b"%PDF-1.7\n" + bytes(20), name="plan.pdf")
    client.force_login(people.owner)
    answer = client.get(media.media_path_of(asset))
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content).startswith(b"%PDF")


def test_a_signed_link_works_without_signing_in_until_it_expires(client, store, now, monkeypatch, settings):
    from alwrity_scheduler.core import clock

    asset = store(picture())
    ref = media.media_ref(asset, now)
    assert ref.url.startswith(settings.PUBLIC_URL)
    assert (ref.mime, ref.size, ref.checksum) == ("image/png", asset.size, asset.checksum)
    path = ref.url.removeprefix(settings.PUBLIC_URL)

    def fetch(url, at):
        monkeypatch.setattr(clock, "now", lambda: at)
        answer = client.get(url)
        if answer.streaming:
            b"".join(answer.streaming_content)  # reading to the end closes the file
        return answer.status_code

    assert fetch(path, now) == 200
    assert fetch(path, now + timedelta(seconds=settings.MEDIA_LINK_SECONDS + 1)) == 404
    assert fetch(path.replace("signature=", "signature=x"), now) == 404
    assert fetch(path.replace("expires=", "expires=9"), now) == 404  # a longer life needs another signature
    assert fetch(path.replace("expires=", "expires=-"), now) == 404
    other = store(picture("GIF"))
    assert fetch(path.replace(str(asset.public_id), str(other.public_id)), now) == 404


def test_a_file_that_is_gone_is_404(client, people, store):
    asset = store(picture())
    asset.file.storage.delete(asset.file.name)
    client.force_login(people.owner)
    assert client.get(media.media_path_of(asset)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=2-99999999", 206, slice(2, None)),
        ("bytes=9-3", 200, slice(None)),
        ("bytes=0-1,4-5", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_a_part_of_a_file_is_given_to_players_that_ask_for_it(client, people, store, asked, status, part):
    client.force_login(people.viewer)
    answer = client.get(media.media_path_of(store(MP4, name="clip.mp4")), headers={"Range": asked})
    content = b"".join(answer.streaming_content)
    assert (answer.status_code, content) == (status, MP4[part])
    assert answer["Content-Length"] == str(len(content))
    if status == 206:
        first = range(len(MP4))[part][0]
        assert answer["Content-Range"] == f"bytes {first}-{first + len(content) - 1}/{len(MP4)}"


def test_a_download_is_kept_and_not_shown(client, people, store):
    client.force_login(people.viewer)
    answer = client.get(media.media_path_of(store(picture())) + "?download")
    assert answer["Content-Disposition"].startswith("attachment")
    b"".join(answer.streaming_content)
