from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "schedules.events"
    label = "events"
    verbose_name = "Events"

    def ready(self) -> None:
        from schedules.events import wiring

        wiring.connect()
