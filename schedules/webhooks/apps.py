from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "schedules.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from schedules.webhooks import wiring

        wiring.connect()
