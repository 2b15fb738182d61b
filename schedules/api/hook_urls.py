"""Where other programs post to: outside of /api/, because what they enter there stays the same whatever the API is called."""

from django.urls import path

from schedules.api.views import hooks

urlpatterns = [path("<str:token>/", hooks.Receive.as_view(), name="hook_receive")]
