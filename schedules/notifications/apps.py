from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "schedules.notifications"
    label = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from schedules.notifications import wiring

        wiring.connect()
