from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "alwrity_scheduler.workspaces"
    label = "workspaces"
    verbose_name = "Workspaces"
