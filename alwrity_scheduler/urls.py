"""Every address of the site. Packages keep their own; this file only says where they stand."""

from importlib.util import find_spec

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from schedules.web.views import consent, health, reviews, signin, system

handler429 = "alwrity_scheduler.signin.views.too_many"
# one door for everybody: the admin's own asks for no second step
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", system.home, name="home"),
    path("app/", include("schedules.web.urls")),
    # of a browser whose person is not signed in; a person's own is in the settings
    path("language/", set_language, name="set_language"),
    path("", include("alwrity_scheduler.signin.urls")),
    # what is entered at platforms stays the same whatever the pages are called
    path("oauth/callback", signin.callback, name="oauth_callback"),
    # what apps of others send people to
    path("oauth/authorize", consent.consent, name="oauth_authorize"),
    path("admin/", admin.site.urls),
    path("review/<str:token>/", reviews.outside, name="outside_review"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("", include("platforms.urls")),
    path("", include("alwrity_scheduler.oauth.urls")),
]
# written by other packages; each is there once its module is
for prefix, module in (
    ("sandbox/", "platforms.adapters.sandbox.urls"),
    ("api/graphql/", "schedules.graphql.urls"),
    ("api/v1/", "schedules.api.urls"),
):
    if find_spec(module) is not None:
        urlpatterns.append(path(prefix, include(module)))
