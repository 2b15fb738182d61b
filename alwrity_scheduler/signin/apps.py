from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "alwrity_scheduler.signin"
    label = "signin"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        from django.core import checks

        from alwrity_scheduler.core import secrets
        from alwrity_scheduler.core.checks import OF_SETTINGS
        from alwrity_scheduler.signin import sealing, watching
        from alwrity_scheduler.signin.checks import require_mfa

        checks.register(require_mfa, OF_SETTINGS)
        watching.start()
        secrets.register_holder(sealing.rotate)
