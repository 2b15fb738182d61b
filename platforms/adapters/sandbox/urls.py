"""Addresses of the practice network. Included by the site at /sandbox/."""

from django.urls import path

from platforms.adapters.sandbox import views

app_name = "sandbox"
urlpatterns = [
    path("", views.index, name="index"),
    path("<str:handle>/", views.feed, name="feed"),
    path("<str:handle>/faults/", views.faults, name="faults"),
    path("<str:handle>/<str:remote_id>/", views.post_page, name="post"),
    path("<str:handle>/<str:remote_id>/like/", views.like, name="like"),
    path("<str:handle>/<str:remote_id>/comment/", views.comment, name="comment"),
]
