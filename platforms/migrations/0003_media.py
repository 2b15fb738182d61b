import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import alwrity_scheduler.core.ids
import platforms.models


class Migration(migrations.Migration):
    dependencies = [("platforms", "0002_limits"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            name="MediaAsset",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "public_id",
                    models.UUIDField(default=alwrity_scheduler.core.ids.uuid7, editable=False, unique=True),
                ),
                ("file", models.FileField(max_length=200, upload_to=platforms.models.media_path)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("image", "Image"),
                            ("video", "Video"),
                            ("document", "Document"),
                            ("audio", "Audio"),
                        ],
                        max_length=12,
                    ),
                ),
                ("mime", models.CharField(max_length=60)),
                ("size", models.PositiveBigIntegerField()),
                ("width", models.PositiveIntegerField(blank=True, null=True)),
                ("height", models.PositiveIntegerField(blank=True, null=True)),
                ("duration_seconds", models.FloatField(blank=True, null=True)),
                ("alt_text", models.CharField(blank=True, default="", max_length=1500)),
                ("checksum", models.CharField(max_length=64)),
                ("original_name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="media",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "verbose_name": "media file",
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "checksum"), name="media_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["image", "video", "document", "audio"])),
                        name="media_kind",
                    ),
                ],
                "indexes": [models.Index(fields=["workspace", "-created_at", "-id"], name="media_newest")],
            },
        ),
    ]
