import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("platforms", "0001_accounts")]
    operations = [
        migrations.CreateModel(
            name="RateWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=16)),
                ("tokens", models.FloatField()),
                ("refilled_at", models.DateTimeField()),
                ("taken", models.JSONField(default=list)),
                ("version", models.PositiveBigIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rate_windows",
                        to="platforms.platformaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["account_id", "name", "id"],
                "constraints": [models.UniqueConstraint(fields=("account", "name"), name="rate_window_once")],
            },
        ),
        migrations.CreateModel(
            name="CircuitState",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("state", models.CharField(default="closed", max_length=12)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("opened_at", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(blank=True, default="", max_length=500)),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="circuit",
                        to="platforms.platformaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["account_id", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("closed", "open", "half_open"))),
                        name="circuit_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "closed"), ("retry_at__isnull", False), _connector="OR"),
                        name="circuit_retry_at",
                    ),
                ],
            },
        ),
    ]
