"""Addresses of this app. Included by the site at its root."""

from django.urls import path

from platforms.web import views

app_name = "platforms"
urlpatterns = [path("media/<uuid:public_id>/<str:name>", views.media_file, name="media")]
