from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "platforms.adapters.sandbox"
    label = "sandbox"
    verbose_name = "Sandbox"
