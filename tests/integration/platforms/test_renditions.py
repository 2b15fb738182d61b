"""Pictures are made to fit on a copy: right type, upright, small enough; kept, served by a signed link, and tidied away."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from alwrity_scheduler.core import clock
from platforms.contracts import Capabilities, MediaRule, Publication
from platforms.errors import Rejected, Unavailable
from platforms.media_types import sniff
from platforms.models import MediaAsset
from platforms.services import files, media, publishing, renditions, video
from tests import engine
from tests.unit.platforms.test_media_types import exif, film, moving, picture

JPEG_ONLY = MediaRule(mimes=frozenset({"image/jpeg"}))


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def store(workspace, actor, now):
    def upload(content, name="photo.png", **values):
        values = {"workspace": workspace, "actor": actor, "now": now, **values}
        return media.store_upload(file=SimpleUploadedFile(name, content), name=name, **values)

    return upload


def noise(size=(300, 200)):
    """A picture that no format can make small."""
    return Image.frombytes("RGB", size, random.Random(7).randbytes(size[0] * size[1] * 3))


def saved(image, kind="PNG", **values):
    target = io.BytesIO()
    image.save(target, kind, **values)
    return target.getvalue()


def capabilities(**values):
    values = {
        "content_types": frozenset({"post"}),
        "media_mimes": frozenset(),
        "max_media": 4,
        "can_find": True,
        **values,
    }
    return Capabilities(replays=False, consistency_delay_seconds=1.0, **values)


def write(tmp_path, content):
    path = tmp_path / "source"
    path.write_bytes(content)
    return str(path)


def opened(made):
    return Image.open(io.BytesIO(made.content))


def test_what_was_see_through_becomes_white_in_a_jpeg(tmp_path):
    source = Image.new("RGBA", (40, 30), (255, 0, 0, 255))
    source.paste((0, 0, 0, 0), (0, 0, 20, 30))
    image = opened(renditions.convert(write(tmp_path, saved(source)), JPEG_ONLY))
    assert (image.format, image.size) == ("JPEG", (40, 30))
    assert min(image.getpixel((3, 15))) > 245
    assert image.getpixel((35, 15))[1] < 40


def test_a_see_through_picture_stays_a_png_where_it_may_and_is_light_enough(tmp_path):
    rule = MediaRule(mimes=frozenset({"image/jpeg", "image/png"}))
    path = write(tmp_path, saved(Image.new("RGBA", (40, 30), (255, 0, 0, 90)), "WEBP"))
    assert renditions.convert(path, rule).mime == "image/png"
    assert renditions.convert(path, replace(rule, max_bytes=60_000)).mime == "image/png"
    heavy = noise().convert("RGBA")
    heavy.putalpha(128)
    assert renditions.convert(write(tmp_path, saved(heavy)), replace(rule, max_bytes=60_000)).mime == "image/jpeg"


def test_exif_orientation_is_applied_and_exif_goes(tmp_path):
    source = Image.new("RGB", (40, 20), "white")
    source.paste("black", (0, 0, 20, 20))  # left half; turned by 90 degrees clockwise it is the upper half
    image = opened(renditions.convert(write(tmp_path, saved(source, "JPEG", exif=exif(orientation=6))), JPEG_ONLY))
    assert image.size == (20, 40)
    assert image.getpixel((10, 5))[0] < 60 < 200 < image.getpixel((10, 35))[0]
    assert dict(image.getexif()) == {}


@pytest.mark.parametrize(
    ("rule", "size"),
    [
        ({"max_width": 150}, (150, 100)),
        ({"max_height": 50}, (75, 50)),
        ({"max_pixels": 15_000}, (150, 100)),
        ({"max_width": 4000, "max_height": 4000, "max_pixels": 10_000_000}, (300, 200)),  # never enlarged
    ],
)
def test_it_is_shrunk_to_the_largest_sides_in_its_ratio(tmp_path, rule, size):
    path = write(tmp_path, picture("WEBP", (300, 200)))
    assert opened(renditions.convert(path, replace(JPEG_ONLY, **rule))).size == size


def test_quality_goes_down_before_the_sides_do(tmp_path):
    path = write(tmp_path, saved(noise()))
    best = len(renditions.convert(path, JPEG_ONLY).content)
    lighter = renditions.convert(path, replace(JPEG_ONLY, max_bytes=best - 1))
    lightest = renditions.convert(path, replace(JPEG_ONLY, max_bytes=8_000))
    assert (len(lighter.content) < best, opened(lighter).size) == (True, (300, 200))
    assert len(lightest.content) <= 8_000
    assert opened(lightest).width < 300
    with pytest.raises(renditions.CannotFit, match="too heavy"):
        renditions.convert(path, replace(JPEG_ONLY, max_bytes=8_000, min_width=300))


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "I;16", "LA", "1"])
def test_every_kind_of_pixel_becomes_a_jpeg(tmp_path, mode):
    source = Image.new("L", (20, 20), 200)
    source = (
        source.convert("I").point(lambda value: value * 256).convert("I;16") if mode == "I;16" else source.convert(mode)
    )
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = opened(renditions.convert(write(tmp_path, saved(source, kind)), JPEG_ONLY))
    assert image.mode == "RGB"
    assert min(image.getpixel((10, 10))) > 180


def test_a_broken_picture_is_said_in_words(tmp_path):
    with pytest.raises(renditions.CannotFit, match="damaged"):
        renditions.convert(write(tmp_path, saved(noise())[:5000]), JPEG_ONLY)


@pytest.mark.django_db
def test_what_can_be_made_to_fit(store, now):
    png = media.media_ref(store(picture("PNG", (400, 300))), now)
    gif = media.media_ref(store(moving("GIF")), now)
    clip = media.media_ref(store(film()), now)
    assert renditions.can_fit(png, JPEG_ONLY)
    assert renditions.can_fit(png, replace(JPEG_ONLY, max_width=100))
    assert not renditions.can_fit(png, replace(JPEG_ONLY, max_width=100, min_height=80))
    assert not renditions.can_fit(png, MediaRule(mimes=frozenset({"image/gif"})))
    assert not renditions.can_fit(gif, JPEG_ONLY)
    assert renditions.can_fit(media.media_ref(store(moving("WEBP")), now), JPEG_ONLY)
    assert not renditions.can_fit(clip, MediaRule(mimes=frozenset({"video/quicktime"})))
    assert [renditions.kind_of(item) for item in (png, gif, clip)] == ["image", "gif", "video"]


@pytest.fixture
def publication(account, now):
    def make(*assets):
        return Publication(
            key="k", account=publishing.account_ref(account), text="t", scheduled_for=now,
            media=tuple(media.media_ref(asset, now) for asset in assets),
        )  # fmt: skip

    return make


def test_the_platform_gets_a_copy_that_fits_with_a_link_to_it(store, publication, client, now, monkeypatch, settings):
    monkeypatch.setattr(clock, "now", lambda: now)
    asset = store(picture("WEBP", (300, 200)), name="A photo.webp", alt_text="Teal")
    can = capabilities(media={"image": replace(JPEG_ONLY, max_width=150)})
    with renditions.fitted(publication(asset), can, now=now) as ready:
        ref = ready.media[0]
        content = Path(ref.path).read_bytes()
    assert (ref.mime, ref.width, ref.height, ref.size) == ("image/jpeg", 150, 100, len(content))
    assert (ref.alt, ref.name, ref.checksum) == ("Teal", "A photo.jpg", asset.checksum)

    path = ref.url.removeprefix(settings.PUBLIC_URL)
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"], b"".join(answer.streaming_content)) == (
        200,
        "image/jpeg",
        content,
    )
    assert client.get(path.replace("signature=", "signature=x")).status_code == 404
    assert client.get(path.partition("?")[0]).status_code == 404
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=settings.MEDIA_LINK_SECONDS + 1))
    assert client.get(path).status_code == 404


def test_a_copy_is_made_once_for_a_content_and_a_rule(store, publication, now, monkeypatch):
    made = []
    real = renditions.convert
    monkeypatch.setattr(renditions, "convert", lambda path, rule: made.append(rule) or real(path, rule))
    asset = store(picture("WEBP", (300, 200)))
    for rule in (JPEG_ONLY, JPEG_ONLY, replace(JPEG_ONLY, max_width=9), replace(JPEG_ONLY, max_alt=9)):
        with renditions.fitted(publication(asset), capabilities(media={"image": rule}), now=now):
            pass
    assert len(made) == 2


def test_what_fits_goes_as_it_is_unless_it_lies_on_its_side(store, publication, now):
    flat, lying = store(picture("JPEG")), store(picture("JPEG", exif=exif(orientation=6)))
    clip = store(film())
    can = capabilities(media_mimes=frozenset({"image/jpeg", "video/mp4"}))
    post = publication(flat, lying, clip)
    with renditions.fitted(post, can, now=now) as ready:
        assert ready.media[0] == post.media[0]
        assert ready.media[2] == post.media[2]
        with Image.open(ready.media[1].path) as turned:
            assert (turned.size, turned.format) == ((30, 40), "JPEG")


def test_a_link_that_is_over_is_signed_anew(store, publication, now, client, settings, monkeypatch):
    post = publication(store(picture("JPEG")), store(film()))
    can = capabilities(media_mimes=frozenset({"image/jpeg", "video/mp4"}))
    later = now + timedelta(seconds=settings.MEDIA_LINK_SECONDS + 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with renditions.fitted(post, can, now=later) as ready:
        for old, new in zip(post.media, ready.media, strict=True):
            answers = [client.get(item.url.removeprefix(settings.PUBLIC_URL)) for item in (old, new)]
            assert [answer.status_code for answer in answers] == [404, 200]
            b"".join(answers[1].streaming_content)


def test_a_file_that_is_gone_and_a_storage_that_is_away_are_certain_not_to_be_posted(
    store, publication, now, monkeypatch
):
    post = publication(store(picture()))
    can = capabilities(media={"image": JPEG_ONLY})

    def away(name):
        raise ConnectionError("no route")

    with monkeypatch.context() as patch:
        patch.setattr(files, "is_kept", away)
        with pytest.raises(Unavailable, match="storage"), renditions.fitted(post, can, now=now):
            pass
    files.storage().delete(post.media[0].stored)
    with pytest.raises(Rejected, match="gone"), renditions.fitted(post, can, now=now):
        pass


def test_send_gives_the_adapter_what_it_takes(store, account, now, publication, platform, monkeypatch):
    seen = []
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(
        type(platform), "capabilities", lambda self, account: capabilities(media={"image": JPEG_ONLY}), raising=True
    )
    real = engine.ScriptedAdapter.publish

    def publish(self, post, *, timeout):
        seen.extend((item.mime, sniff(io.BytesIO(Path(item.path).read_bytes())).mime) for item in post.media)
        return real(self, post, timeout=timeout)

    monkeypatch.setattr(engine.ScriptedAdapter, "publish", publish)
    publishing.send(publication(store(picture())), timeout=5)
    assert seen == [("image/jpeg", "image/jpeg")]


def test_copies_of_files_that_are_gone_are_tidied_and_others_stay(store, publication, now, actor, client, people):
    can = capabilities(media={"image": JPEG_ONLY})
    kept, lost = store(picture(colour="red")), store(picture(colour="blue"))
    client.force_login(people.owner)
    for asset in (kept, lost):
        with renditions.fitted(publication(asset), can, now=now):
            pass
        assert client.get(media.thumbnail_path_of(asset)).status_code == 200
    names = [path.name for path in Path(files.storage().location).rglob("*") if path.is_file()]
    assert len(names) == 6

    media.delete(assets=[lost], actor=actor, now=now)
    later = now + media.IN_BIN + timedelta(hours=1)
    assert media.purge(now=later) == 1
    assert sum(renditions.tidy(now=later + timedelta(hours=hour)) for hour in range(24)) == 2

    left = {path.name for path in Path(files.storage().location).rglob("*") if path.is_file()}
    assert {f"{kept.checksum}.webp", Path(kept.file.name).name} < left
    assert len(left) == 3
    assert not MediaAsset.every.filter(pk=lost.pk).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("by", ["ffprobe", "av"])
def test_a_film_tells_its_sides_its_length_and_its_codec(store, now, monkeypatch, by):
    if by == "av":
        monkeypatch.setattr(video.shutil, "which", lambda name: None)
    elif video.shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    asset = store(film(2), name="clip.mp4")
    assert (asset.width, asset.height, asset.duration_seconds) == (64, 48, 2.0)
    assert asset.details == {"fps": 10.0, "video_codec": "mpeg4", "poster": True}
    assert media.media_ref(asset, now).seconds == 2.0


@pytest.mark.django_db
def test_a_film_that_nothing_can_read_is_kept_and_says_so(store, monkeypatch):
    monkeypatch.setattr(video.shutil, "which", lambda name: None)
    monkeypatch.setattr(video, "_av", lambda: None)
    asset = store(film())
    assert (asset.duration_seconds, asset.details, asset.has_thumbnail) == (None, {"unread": True}, False)


def test_a_film_on_its_side_is_measured_as_people_see_it():
    told = {
        "streams": [
            {
                "codec_type": "video", "codec_name": "h264", "width": 1920, "height": 1080, "avg_frame_rate": "30000/1001",
                "side_data_list": [{"side_data_type": "Display Matrix", "rotation": -90}],
            },
            {"codec_type": "audio", "codec_name": "aac"},
        ],
        "format": {"duration": "12.345600"},
    }  # fmt: skip
    found = video.film_of(told)
    assert (found.width, found.height, found.seconds) == (1080, 1920, 12.346)
    assert found.details == {"video_codec": "h264", "fps": 29.97, "audio_codec": "aac"}
    assert video.film_of({"streams": [], "format": {}}) is None
