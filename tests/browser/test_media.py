"""The media library in a browser: files are dropped, pasted and chosen, each with its own error; many are deleted and come back."""

from __future__ import annotations

import base64
import io

import pytest
from django.urls import reverse
from PIL import Image

from platforms.models import MediaAsset
from tests.browser.test_access_for_all import violations  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

GIVE = """([kind, files]) => {
  const data = new DataTransfer();
  for (const [name, content] of files)
    data.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
  const options = { bubbles: true, cancelable: true };
  document.querySelector("h1").dispatchEvent(kind === "drop" ? new DragEvent("drop", { ...options, dataTransfer: data })
    : new ClipboardEvent("paste", { ...options, clipboardData: data }));
}"""


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def picture(colour, size=(640, 480)):
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, "PNG")
    return base64.b64encode(target.getvalue()).decode()


def test_files_are_dropped_and_pasted_then_deleted_and_brought_back(open_browser, team, violations):  # noqa: F811
    page = open_browser(team.people.author)
    page.goto(reverse("web:media"))

    broken = base64.b64encode(b"MZ no picture").decode()
    page.evaluate(GIVE, ["drop", [["red.png", picture("red")], ["notes.exe", broken], ["green.png", picture("green")]]])
    page.wait_for_selector(".uploads .bad:has-text('notes.exe')")
    page.wait_for_selector(".media-tile:has-text('green.png')")
    page.evaluate(GIVE, ["paste", [["blue.png", picture("blue")]]])
    page.wait_for_selector(".media-tile:has-text('blue.png')")
    assert page.locator(".media-tile").count() == MediaAsset.objects.count() == 3
    shown = "async (image) => { await image.decode(); return image.naturalWidth; }"
    assert page.eval_on_selector(".media-tile img", shown) == 400
    assert violations(page) == []

    page.check("[data-pick-all]")
    assert page.inner_text("[data-picked]") == "3 / 3"
    page.click("#m-delete")
    page.wait_for_selector("text=No files yet")
    page.click("#toasts [data-undo]")
    page.wait_for_selector(".media-tile")
    assert page.locator(".media-tile").count() == 3

    page.click(".media-tile:has-text('red.png') a")
    page.fill("#id_alt_text", "Red all over")
    page.click("button.primary:has-text('Save')")
    page.wait_for_selector(".messagelist:has-text('Saved')")
    assert MediaAsset.objects.get(original_name="red.png").alt_text == "Red all over"
    assert violations(page) == []


def test_a_picture_is_pasted_into_a_post(open_browser, team):
    page = open_browser(team.people.author)
    page.goto(reverse("web:schedule_new"))
    page.evaluate(GIVE, ["paste", [["pier.png", picture("teal")]]])
    page.wait_for_selector("#media-picker input[name=media]:checked")
    page.fill("#id_media_q", "no such file")
    page.wait_for_selector("#media-picker .tile:has-text('pier.png')")  # what is chosen stays
    assert page.locator("#media-picker input[name=media]:checked").count() == 1
