"""The same library on a bucket that speaks S3: kept, shown, sent and removed without a path of this machine."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import boto3
import environ
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from moto import mock_aws
from PIL import Image

from alwrity_scheduler import stores
from alwrity_scheduler.core import clock
from platforms.contracts import MediaRule, Publication
from platforms.services import media, publishing, renditions
from tests.integration.platforms.test_renditions import capabilities
from tests.unit.platforms.test_media_types import film, picture

BUCKET = "team-media"
GIVEN = {
    "MEDIA_S3_BUCKET": BUCKET,
    "MEDIA_S3_REGION": "eu-central-1",
    "MEDIA_S3_ACCESS_KEY": "testing",
    "MEDIA_S3_SECRET_KEY": "testing",
    "MEDIA_S3_PREFIX": "/alwrity/",
}


@pytest.fixture
def bucket(settings, monkeypatch):
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client(
            "s3", region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        settings.STORAGES = {**settings.STORAGES, "default": stores.media_storage(environ.Env())}

        def keys():
            return sorted(item["Key"] for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()))

        yield keys


@pytest.fixture
def store(workspace, actor, now):
    return lambda content, name="photo.png": media.store_upload(
        workspace=workspace, file=SimpleUploadedFile(name, content), name=name, actor=actor, now=now
    )


def test_the_settings_name_a_bucket_or_a_folder(monkeypatch):
    assert stores.media_storage(environ.Env()) == stores.FOLDER
    monkeypatch.setenv("MEDIA_S3_BUCKET", BUCKET)
    monkeypatch.setenv("MEDIA_S3_ENDPOINT_URL", "http://127.0.0.1:9000")
    options = stores.media_storage(environ.Env())["OPTIONS"]
    assert (options["bucket_name"], options["endpoint_url"], options["location"]) == (
        BUCKET,
        "http://127.0.0.1:9000",
        "",
    )
    assert "access_key" not in options


def test_a_file_lives_in_the_bucket_from_upload_to_its_end(
    bucket, store, account, workspace, client, people, actor, now, monkeypatch
):
    monkeypatch.setattr(clock, "now", lambda: now)
    asset, clip = store(picture("WEBP", (300, 200))), store(film(), "clip.mp4")
    base = f"alwrity/{workspace.public_id}"
    assert f"{base}/{asset.public_id}.webp" in bucket()
    assert f"alwrity/thumbnails/{clip.checksum[:2]}/{clip.checksum}.webp" in bucket()

    client.force_login(people.owner)
    assert b"".join(client.get(media.media_path_of(asset)).streaming_content) == picture("WEBP", (300, 200))
    assert client.get(media.thumbnail_path_of(asset)).status_code == 200

    refs = tuple(media.media_ref(item, now) for item in (asset, clip))
    assert [ref.path for ref in refs] == ["", ""]
    rule = MediaRule(mimes=frozenset({"image/jpeg"}), max_width=150)
    can = capabilities(media={"image": rule, "video": MediaRule(mimes=frozenset({"video/mp4"}))})
    post = Publication(key="k", account=publishing.account_ref(account), text="t", scheduled_for=now, media=refs)
    for _ in range(2):  # made, then found
        with renditions.fitted(post, can, now=now) as ready:
            made, plays = (Path(item.path).read_bytes() for item in ready.media)
            paths = [item.path for item in ready.media]
        assert Image.open(io.BytesIO(made)).size == (150, 100)
        assert plays[4:8] == b"ftyp"
        assert not any(Path(path).exists() for path in paths)  # copies for the call alone
    assert sum("/renditions/" in key for key in bucket()) == 1
    assert b"".join(client.get(ready.media[0].url.partition("8000")[2]).streaming_content) == made

    media.delete(assets=[asset, clip], actor=actor, now=now)
    later = now + media.IN_BIN + timedelta(hours=1)
    assert media.purge(now=later) == 2
    parts = {int(item.checksum[:2], 16) % renditions.SHARDS for item in (asset, clip)}
    for hour in range(renditions.SHARDS):
        moment = later + timedelta(hours=hour)
        if int(moment.timestamp()) // 3600 % renditions.SHARDS in parts:
            renditions.tidy(now=moment)
    assert bucket() == []
