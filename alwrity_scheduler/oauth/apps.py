from django.apps import AppConfig


class OauthConfig(AppConfig):
    name = "alwrity_scheduler.oauth"
    label = "oauth"
    verbose_name = "Apps that act for people"
