from django.apps import AppConfig


class PlatformsConfig(AppConfig):
    name = "platforms"
    verbose_name = "Platforms"

    def ready(self) -> None:
        from alwrity_scheduler.core import checks  # noqa: F401 - registers the system checks
        from platforms import wiring

        wiring.register()
