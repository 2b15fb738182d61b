from django.apps import AppConfig


class SecurityConfig(AppConfig):
    name = "alwrity_scheduler.security"
    label = "security"
    verbose_name = "Security"

    def ready(self) -> None:
        from alwrity_scheduler.core import events, retention, sightings
        from alwrity_scheduler.security import persons, services

        sightings.subscribe(services.note)
        events.subscribe(services.note_facts)
        retention.kinds.register("security log", retention.Kept(days=180, what="sign-ins, refusals, changes of access"))
        persons.connect()
