"""The addresses of the provider that programs ask. The page on which people are asked is among the pages of `schedules.web`."""

from django.urls import path

from alwrity_scheduler.oauth import views

app_name = "oauth"
urlpatterns = [
    path("oauth/token", views.Token.as_view(), name="token"),
    path("oauth/revoke", views.Revoke.as_view(), name="revoke"),
    path("oauth/introspect", views.Introspect.as_view(), name="introspect"),
    path(".well-known/oauth-authorization-server", views.metadata, name="metadata"),
    path(".well-known/oauth-protected-resource/api/v1", views.resource_metadata, name="resource_metadata"),
]
