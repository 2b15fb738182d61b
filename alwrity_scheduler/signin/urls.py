"""The addresses of signing in: ours first, then the library's, which stand under account/."""

from allauth.account.views import login, logout
from django.urls import include, path
from django.views.generic import RedirectView

from alwrity_scheduler.signin import views

urlpatterns = [
    path("account/", RedirectView.as_view(url="/app/settings/security/")),
    path("account/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("account/logout/", RedirectView.as_view(pattern_name="logout", query_string=True)),
    path("account/password/reset/", views.password_reset, name="account_reset_password"),
    path("account/email/", views.addresses, name="account_email"),
    path("account/sessions/", views.session_list, name="usersessions_list"),
    path("account/sessions/<int:pk>/end/", views.end_session, name="end_session"),
    path("account/2fa/", views.second_step, name="mfa_index"),
    path("account/2fa/webauthn/add/", views.add_key, name="mfa_add_webauthn"),
    path("account/2fa/recovery-codes/", views.recovery_codes, name="mfa_view_recovery_codes"),
    path("account/oidc/<str:provider_id>/login/", views.start_login, name="openid_connect_login"),
    path("account/", include("allauth.urls")),
    path("login/", login, name="account_login"),
    path("logout/", logout, name="account_logout"),
    path("login/", login, name="login"),
    path("logout/", logout, name="logout"),
    path("password/", RedirectView.as_view(pattern_name="account_change_password"), name="password_change"),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
]
