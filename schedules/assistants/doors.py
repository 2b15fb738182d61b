"""What the tools need and no address of the API answers yet, under the same rules as the API's own views."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from platforms.models import PlatformAccount
from schedules.api.serializers.accounts import account_words
from schedules.api.serializers.shapes import both
from schedules.api.views.door import Door
from schedules.services import slots


class NextSlot(Door):
    """The account's next posting time at which nothing is planned."""

    area: ClassVar[str] = "schedules"

    def get_queryset(self) -> QuerySet[Any]:
        return PlatformAccount.objects.visible_to(self.request.user).defer("credentials")

    def get(self, request: Request, public_id: UUID) -> Response:
        account = self.find(public_id)
        at = slots.next_slot(account, now=self.now)
        shown = both("at", at, account.timezone)
        return Response({"account": account_words(account), **shown, "timezone": account.timezone})
