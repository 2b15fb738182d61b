"""A file that a template or a draft names is in use, and stays."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from alwrity_scheduler.core.errors import IllegalTransition
from platforms.services import media
from schedules.models import ComposerDraft
from schedules.services import library
from schedules.services.plans import ContentDraft
from tests.people import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(people, now):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "PNG")
    return media.store_upload(workspace=people.workspace, file=file, name="sea.png", actor=ACTOR, now=now)


def test_a_template_keeps_its_files(people, picture, now):
    draft = ContentDraft(text="x", media_ids=(str(picture.public_id),))
    library.save_template(
        workspace=people.workspace, name="Sea", draft=draft, actor=ACTOR, now=now, person=people.owner
    )
    with pytest.raises(IllegalTransition, match="the template “Sea”"):
        media.delete(assets=[picture], actor=ACTOR, now=now)


def test_an_unsaved_draft_keeps_its_files_until_it_is_discarded(people, picture, now):
    draft = ComposerDraft.objects.create(
        workspace=people.workspace, person=people.author, data={"text": ["secret"], "media": [str(picture.public_id)]},
        created_at=now, updated_at=now,
    )  # fmt: skip
    with pytest.raises(IllegalTransition) as caught:
        media.delete(assets=[picture], actor=ACTOR, now=now)
    assert "secret" not in str(caught.value)
    ComposerDraft.objects.filter(pk=draft.pk).update(discarded_at=now)
    assert media.delete(assets=[picture], actor=ACTOR, now=now) == 1
