"""What GET takes in its address, shaped and checked like a body; and which accounts of a workspace the caller may look at."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.api.serializers.shapes import Input
from schedules.api.views.door import Door


class AskedDoor(Door):
    """`asked`: the parameters of its GET, as fields."""

    asked: ClassVar[type[Input]]

    def known_names(self) -> frozenset[str]:
        return frozenset(self.asked().fields)

    def query(self) -> dict[str, Any]:
        """The values; what the door itself reads of the address is left to it."""
        given = self.request.query_params
        names = self.asked().fields
        shaped = self.asked(
            data={name: given[name] for name in given if name in names}, context={"now": self.now, "from_query": True}
        )
        shaped.is_valid(raise_exception=True)
        values: dict[str, Any] = shaped.validated_data
        return values

    def account_ids(self, workspace: Workspace, wanted: list[Any] | None = None) -> list[int]:
        """The numbers of the accounts there that the caller sees, or of those that are `wanted` (public ids); unknown ones 422."""
        rows = PlatformAccount.objects.visible_to(self.request.user).filter(workspace=workspace).order_by("id")
        found = {row[1]: row[0] for row in rows.values_list("pk", "public_id")}
        if wanted is None:
            return list(found.values())
        if missing := [item for item in wanted if item not in found]:
            words = f"There is no account {missing[0]} in this workspace."
            raise serializers.ValidationError({"account": [serializers.ErrorDetail(words, code="not_found")]})
        return [found[item] for item in wanted]
