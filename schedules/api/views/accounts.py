"""Accounts: looked at here, connected and changed on the pages. Their secrets are not even loaded."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet

from platforms.models import PlatformAccount
from schedules.api.serializers.accounts import AccountAnswer
from schedules.api.views.door import Door, Row, Rows
from schedules.filters import AccountFilter


class _Accounts(Door):
    serializer_class = AccountAnswer

    def get_queryset(self) -> QuerySet[Any]:
        return PlatformAccount.objects.visible_to(self.request.user).select_related("workspace").defer("credentials")


class AccountList(_Accounts, Rows):
    filterset_class: ClassVar[Any] = AccountFilter


class AccountDetail(_Accounts, Row):
    pass
