"""Every address of the site. Packages keep their own; this file only says where they stand."""

from importlib.util import find_spec

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path, reverse_lazy
from django.views.i18n import set_language

from schedules.web.views import consent, health, joining, reviews, signin, system

urlpatterns = [
    path("", system.home, name="home"),
    path("app/", include("schedules.web.urls")),
    # of a browser whose person is not signed in; a person's own is in the settings
    path("language/", set_language, name="set_language"),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path(
        "password/",
        auth.PasswordChangeView.as_view(success_url=reverse_lazy("password_change_done")),
        name="password_change",
    ),
    path("password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    # what is entered at platforms stays the same whatever the pages are called
    path("oauth/callback", signin.callback, name="oauth_callback"),
    # what apps of others send people to
    path("oauth/authorize", consent.consent, name="oauth_authorize"),
    path("admin/", admin.site.urls),
    # what invitations link to: workspaces.invitations.JOIN_PAGE
    path("join/<str:secret>/", joining.join, name="join"),
    path("review/<str:token>/", reviews.outside, name="outside_review"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("", include("platforms.urls")),
    path("", include("alwrity_scheduler.oauth.urls")),
]
# written by other packages; each is there once its module is
for prefix, module in (("sandbox/", "platforms.adapters.sandbox.urls"), ("api/v1/", "schedules.api.urls")):
    if find_spec(module) is not None:
        urlpatterns.append(path(prefix, include(module)))
