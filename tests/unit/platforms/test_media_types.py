"""What a file is, and the same file without the place it was taken: with real files, made here."""

from __future__ import annotations

import io
import struct

import av
import pytest
from PIL import Image, PngImagePlugin

from platforms import media_types
from platforms.media_types import NotTaken, image_bytes, sniff

GPS = 0x8825
XMP = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><r exif:GPSLatitude='52,31N' make='Camera'/></x:xmpmeta>"


def exif(*, orientation=1, place=True):
    made = Image.Exif()
    made[0x010F] = "Camera Maker"
    made[0x0112] = orientation
    if place:
        made.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return made.tobytes()


def picture(kind="PNG", size=(40, 30), colour="teal", mode="RGB", **values):
    target = io.BytesIO()
    Image.new(mode, size, colour).save(target, kind, **values)
    return target.getvalue()


def moving(kind, frames=3):
    target = io.BytesIO()
    shots = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue")[:frames]]
    shots[0].save(target, kind, save_all=True, append_images=shots[1:], duration=100)
    return target.getvalue()


def film(seconds=1, size=(64, 48), ending="mp4", **metadata):
    target = io.BytesIO()
    options = {"movflags": "use_metadata_tags"} if metadata else {}
    with av.open(target, "w", format=ending, options=options) as container:
        container.metadata.update(metadata)
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(10 * seconds):
            for packet in stream.encode(av.VideoFrame(*size, "yuv420p")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return target.getvalue()


def stored(content):
    file = io.BytesIO(content)
    return image_bytes(file, sniff(file)).read()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
def test_a_picture_that_moves_says_so_with_its_frames(kind):
    found = sniff(io.BytesIO(moving(kind)))
    assert (found.kind, found.animated, found.details) == ("image", True, {"frames": 3})
    assert not sniff(io.BytesIO(moving(kind, 1))).animated


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))])
def test_sides_are_those_that_people_see(kind, orientation, size):
    found = sniff(io.BytesIO(picture(kind, exif=exif(orientation=orientation))))
    assert (found.width, found.height) == size


def test_heic_is_refused_by_its_name_and_avif_of_the_common_brand_is_not():
    with pytest.raises(NotTaken, match="HEIC"):
        sniff(io.BytesIO(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)))
    with pytest.raises(NotTaken, match="HEIC"):
        sniff(io.BytesIO(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(40)))
    content = picture("AVIF")
    assert sniff(io.BytesIO(content.replace(b"ftypavif", b"ftypmif1", 1))).mime == "image/avif"


def test_pages_of_a_pdf_are_counted_where_it_says_them():
    pages = io.BytesIO()
    Image.new("RGB", (9, 9)).save(pages, "PDF", save_all=True, append_images=[Image.new("RGB", (9, 9))] * 2)
    assert sniff(pages).details == {"pages": 3}
    assert sniff(io.BytesIO(b"%PDF-1.7\n" + bytes(50))).details == {}


def test_a_png_loses_its_place_and_nothing_else():
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Ana")
    text.add_itxt("XML:com.adobe.xmp", XMP)
    content = picture("PNG", pnginfo=text, exif=exif())
    assert Image.open(io.BytesIO(content)).getexif().get_ifd(GPS)

    image = Image.open(io.BytesIO(stored(content)))
    image.load()

    assert not image.getexif().get_ifd(GPS)
    assert image.getexif()[0x010F] == "Camera Maker"
    assert image.text == {"Author": "Ana"}
    assert image.getpixel((0, 0)) == (0, 128, 128)


def test_a_png_with_packed_exif_or_xmp_loses_it_unread():
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP, zip=True)
    text.add_text("Raw profile type exif", "\nexif\n 8\n4578696600", zip=True)
    text.add_itxt("XML:other", "kept")
    left = Image.open(io.BytesIO(stored(picture("PNG", pnginfo=text))))
    left.load()
    assert left.text == {"XML:other": "kept"}


def test_a_webp_loses_its_place_and_its_flags_say_what_is_left():
    content = picture("WEBP", exif=exif(), xmp=XMP.encode())
    assert b"GPSLatitude" in content
    changed = stored(content)
    image = Image.open(io.BytesIO(changed))
    image.load()

    assert b"GPSLatitude" not in changed
    assert not image.getexif().get_ifd(GPS)
    assert image.getexif()[0x010F] == "Camera Maker"
    assert int.from_bytes(changed[4:8], "little") == len(changed) - 8
    flags = changed[changed.index(b"VP8X") + 8]
    assert (flags & 0x08, flags & 0x04) == (0x08, 0)


def test_a_webp_without_a_place_stays_byte_for_byte():
    for content in (picture("WEBP"), picture("WEBP", exif=exif(place=False)), moving("WEBP")):
        assert stored(content) == content


def test_an_avif_loses_its_place_in_place():
    content = picture("AVIF", exif=exif(), xmp=XMP.encode())
    changed = stored(content)
    image = Image.open(io.BytesIO(changed))
    image.load()
    assert len(changed) == len(content)
    assert b"GPSLatitude" not in changed
    assert not image.getexif().get_ifd(GPS)


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def with_boxes(content, *boxes):
    """The film with more boxes at the end of its `moov`, which is its last box."""
    at = content.index(b"moov") - 4
    moov = content[at:]
    return content[:at] + struct.pack(">I", len(moov) + sum(map(len, boxes))) + moov[4:] + b"".join(boxes)


PLACE = b"+52.5200+013.4050/"


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_a_film_loses_its_place_and_plays_as_before(ending):
    text = struct.pack(">HH", len(PLACE), 0x15C7) + PLACE
    xyz, loci = box(b"\xa9xyz", text), box(b"loci", bytes(6), b"Berlin\0", b"\0\x00\x0d\x67\x00")
    packet = box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), XMP.encode())
    content = with_boxes(film(ending=ending), box(b"udta", xyz, loci), packet)
    assert PLACE in content

    changed = stored(content)

    assert len(changed) == len(content)
    assert PLACE not in changed
    assert b"Berlin" not in changed
    assert b"GPSLatitude" not in changed
    with av.open(io.BytesIO(changed)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


def test_a_quicktime_key_of_a_place_loses_its_value_and_others_stay():
    keys = (b"com.apple.quicktime.make", b"com.apple.quicktime.location.ISO6709")
    table = box(b"keys", bytes(4), struct.pack(">I", 2), *(box(b"mdta", key) for key in keys))
    values = (b"Maker", PLACE)
    items = [
        box(struct.pack(">I", number), box(b"data", struct.pack(">II", 1, 0), value))
        for number, value in enumerate(values, start=1)
    ]
    handler = box(b"hdlr", bytes(8), b"mdta", bytes(13))
    for meta in (
        box(b"meta", handler, table, box(b"ilst", *items)),
        box(b"meta", bytes(4), handler, table, box(b"ilst", *items)),
    ):
        changed = stored(with_boxes(film(ending="mov"), meta))
        assert PLACE not in changed
        assert b"Maker" in changed


def test_boxes_that_lie_about_their_size_end_the_walk():
    for size in (0, 4, 7, 2**31):
        broken = box(b"ftyp", b"isom", bytes(8)) + struct.pack(">I", size) + b"moov" + bytes(40)
        assert stored(broken) == broken


def test_a_place_in_a_film_counts_what_was_forgotten():
    file = io.BytesIO(with_boxes(film(), box(b"udta", box(b"\xa9xyz", bytes(4), PLACE))))
    assert media_types.forget_place(file) == 1
    assert media_types.forget_place(file) == 0
