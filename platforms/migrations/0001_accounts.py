import django.db.models.deletion
from django.db import migrations, models

import alwrity_scheduler.core.ids
import alwrity_scheduler.core.secrets
import alwrity_scheduler.workspaces.models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("workspaces", "__first__")]
    operations = [
        migrations.CreateModel(
            name="PlatformAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "public_id",
                    models.UUIDField(default=alwrity_scheduler.core.ids.uuid7, editable=False, unique=True),
                ),
                ("platform", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=120)),
                ("handle", models.CharField(max_length=120)),
                (
                    "timezone",
                    models.CharField(
                        default="UTC",
                        max_length=64,
                        validators=[alwrity_scheduler.workspaces.models.validate_timezone],
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("needs_auth", "Needs signing in"),
                            ("disconnected", "Disconnected"),
                        ],
                        default="active",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("state_reason", models.CharField(blank=True, default="", editable=False, max_length=500)),
                ("state_changed_at", models.DateTimeField(editable=False)),
                ("credentials", alwrity_scheduler.core.secrets.EncryptedJSONField()),
                ("options", models.JSONField(blank=True, default=dict)),
                ("min_spacing_seconds", models.PositiveIntegerField(default=0)),
                ("hourly_cap", models.PositiveIntegerField(blank=True, null=True)),
                ("daily_cap", models.PositiveIntegerField(blank=True, null=True)),
                ("next_slot_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("not_before_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="accounts",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "ordering": ["platform", "name", "id"],
                "verbose_name": "platform account",
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "platform", "handle"), name="account_handle_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["active", "paused", "needs_auth", "disconnected"])),
                        name="account_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hourly_cap", None), ("hourly_cap__gt", 0), _connector="OR"),
                        name="account_hourly_cap",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("daily_cap", None), ("daily_cap__gt", 0), _connector="OR"),
                        name="account_daily_cap",
                    ),
                ],
            },
        ),
    ]
