from django.apps import AppConfig


class InboundConfig(AppConfig):
    name = "schedules.inbound"
    label = "inbound"
    verbose_name = "Inbound hooks"

    def ready(self) -> None:
        from schedules.inbound import wiring

        wiring.connect()
