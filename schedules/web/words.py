"""The words for values of the tables that several pages show."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from schedules.models.content import ContentType
from schedules.models.schedules import Priority

TYPES: dict[str, Any] = {
    ContentType.POST: gettext_lazy("Post"),
    ContentType.ARTICLE: gettext_lazy("Article"),
    ContentType.IMAGE: gettext_lazy("Image"),
    ContentType.VIDEO: gettext_lazy("Video"),
    ContentType.CAROUSEL: gettext_lazy("Carousel"),
    ContentType.STORY: gettext_lazy("Story"),
    ContentType.REEL: gettext_lazy("Reel"),
    ContentType.THREAD: gettext_lazy("Thread"),
    ContentType.NEWSLETTER: gettext_lazy("Newsletter"),
}
PRIORITIES: dict[int, Any] = {
    Priority.URGENT: gettext_lazy("Urgent"),
    Priority.HIGH: gettext_lazy("High"),
    Priority.NORMAL: gettext_lazy("Normal"),
    Priority.LOW: gettext_lazy("Low"),
}
