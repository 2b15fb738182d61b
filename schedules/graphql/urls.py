"""The addresses under /api/graphql/."""

from django.urls import path

from schedules.graphql import view

app_name = "graphql"
urlpatterns = [
    path("", view.graphql, name="endpoint"),
    path("schema.graphql", view.SchemaWords.as_view(), name="schema"),
]
