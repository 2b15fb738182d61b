"""Accounts: looked at here, connected and changed on the pages. Their secrets are not even loaded."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet

from platforms.models import PlatformAccount
from schedules.api.serializers.accounts import AccountAnswer
from schedules.api.views.door import Door, Row, Rows
from schedules.filters import AccountFilter
from schedules.reads.standing import standings


class _Accounts(Door):
    serializer_class = AccountAnswer

    def get_queryset(self) -> QuerySet[Any]:
        visible = PlatformAccount.objects.visible_to(self.request.user)
        return visible.select_related("workspace", "service", "circuit").defer("credentials")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """How the accounts stand is asked for all that are shown at once."""
        rows = list(args[0]) if kwargs.get("many") else [args[0]]
        context = {**self.get_serializer_context(), "standings": standings(rows, self.now)}
        return super().get_serializer(*args, **{**kwargs, "context": context})


class AccountList(_Accounts, Rows):
    filterset_class: ClassVar[Any] = AccountFilter


class AccountDetail(_Accounts, Row):
    pass
