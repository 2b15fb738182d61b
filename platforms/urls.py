"""Addresses of this app. Included by the site at its root."""

from django.urls import path, re_path

from platforms.web import views

app_name = "platforms"
urlpatterns = [
    path("media/<uuid:public_id>/<str:name>", views.media_file, name="media"),
    path("media/thumbnails/<uuid:public_id>.webp", views.thumbnail, name="thumbnail"),
    re_path(
        r"^media/renditions/(?P<checksum>[0-9a-f]{64})/(?P<name>[0-9a-f]{16}\.\w{3,4})$",
        views.rendition,
        name="rendition",
    ),
]
