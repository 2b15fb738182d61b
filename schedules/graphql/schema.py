"""The schema. Loaded with the first request that needs it: building it takes the library and some tenths of a second."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry_django.optimizer import DjangoOptimizerExtension

from schedules.graphql.limits import MOST_ROWS
from schedules.graphql.mutations import Mutation
from schedules.graphql.queries import Query
from schedules.graphql.reading import OPTIMIZER


class Schema(strawberry.Schema):
    def process_errors(self, errors: object, execution_context: object = None) -> None:
        """Errors are logged where they are told (`errors.told`), and those that were expected are not."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(relay_max_results=MOST_ROWS),
    extensions=[
        lambda: DjangoOptimizerExtension(
            enable_only_optimization=OPTIMIZER.enable_only,
            prefetch_custom_queryset=OPTIMIZER.prefetch_custom_queryset,
        )
    ],
)
