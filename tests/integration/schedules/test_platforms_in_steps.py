"""Posts that take several calls, through the engine and its database: what is accepted is followed, what is lost is looked up."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from platforms.services import media
from schedules.models import Attempt, Job, JobCheck
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan, VariantDraft
from schedules.services.schedules import create_schedule
from tests.engine import run_due
from tests.people import ACTOR, make_account
from tests.servers.facebook import FacebookDouble
from tests.servers.instagram import InstagramDouble

pytestmark = pytest.mark.django_db
COMMENT = {"first_comment": "More in the profile"}


@pytest.fixture(autouse=True)
def loopback(settings: Any, tmp_path: Any) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    settings.MEDIA_ROOT = tmp_path
    settings.PUBLIC_URL = "https://scheduler.example.org"


@pytest.fixture
def page() -> Iterator[FacebookDouble]:
    double = FacebookDouble()
    yield double
    double.stop()


@pytest.fixture
def gram() -> Iterator[InstagramDouble]:
    double = InstagramDouble()
    yield double
    double.stop()


def picture(workspace: Any, now: Any) -> str:
    content = io.BytesIO()
    Image.new("RGB", (400, 400), "teal").save(content, "JPEG")
    file = SimpleUploadedFile("a.jpg", content.getvalue())
    return str(media.store_upload(workspace=workspace, file=file, name="a.jpg", actor=ACTOR, now=now).public_id)


def plan(workspace: Any, account: Any, now: Any, **draft: Any) -> None:
    variant = VariantDraft(platform=account.platform, options=COMMENT)
    create_schedule(
        workspace=workspace,
        content=ContentDraft(text="Guten Morgen", variants=(variant,), **draft),
        plan=SchedulePlan(
            rule_kind="once",
            timezone="UTC",
            start_local=now.replace(tzinfo=None),
            targets=(TargetPlan(account_id=str(account.public_id)),),
        ),
        state="active",
        actor=ACTOR,
        now=now,
    )


def until_done(now: Any) -> Job:
    """The engine, each time when its next look is due."""
    run_due(now)
    for _ in range(20):
        found = Job.objects.get()
        if found.state in ("completed", "failed"):
            return found
        check = JobCheck.objects.filter(state="pending").first()
        run_due((check.run_at if check else found.run_at) + timedelta(seconds=1))
    raise AssertionError(f"it stays {found.state}")


def test_an_image_on_instagram_is_followed_until_it_is_out_and_commented_once(workspace, now, gram):
    account = make_account(
        workspace, now, platform="instagram", credentials={"access_token": gram.TOKEN},
        options={"user_id": gram.USER, "api_url": gram.url},
    )  # fmt: skip
    plan(workspace, account, now, media_ids=(picture(workspace, now),))
    gram.drops, gram.drop = lambda asked: asked.path.endswith("/media_publish"), 1

    done = until_done(now)

    (made,) = gram.media.values()
    assert (done.state, done.remote_id, done.remote_url) == ("completed", made["id"], made["permalink"])
    assert list(gram.comments.values()) == [["More in the profile"]]
    fetched = gram.containers[made["container"]]["fields"]["image_url"]
    assert fetched.startswith("https://scheduler.example.org/media/")
    stored = [str(row) for row in Attempt.objects.values_list("request", "response", "message")]
    assert gram.TOKEN not in "".join(stored) + str(done.remote_state)


def test_a_lost_post_on_facebook_is_found_and_its_comment_made(workspace, now, page):
    account = make_account(
        workspace, now, platform="facebook", credentials={"access_token": page.TOKEN, "app_secret": page.SECRET},
        options={"page_id": page.PAGE, "api_url": page.url},
    )  # fmt: skip
    plan(workspace, account, now)
    page.drops, page.drop = lambda asked: asked.path.endswith("/feed"), 1

    done = until_done(now)

    assert done.state == "completed"
    assert list(page.posts) == [done.remote_id]
    assert [item["message"] for item in page.comments[done.remote_id]] == ["More in the profile"]
    assert Attempt.objects.filter(message__startswith="The platform had it already.").exists()
