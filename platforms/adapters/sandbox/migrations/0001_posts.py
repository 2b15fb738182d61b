import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("platforms", "0001_accounts")]
    operations = [
        migrations.CreateModel(
            name="SandboxPost",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("key", models.CharField(max_length=200)),
                ("remote_id", models.CharField(max_length=16, unique=True)),
                ("title", models.CharField(blank=True, default="", max_length=300)),
                ("text", models.TextField(blank=True, default="")),
                ("link", models.CharField(blank=True, default="", max_length=2000)),
                ("hashtags", models.JSONField(default=list)),
                ("media", models.JSONField(default=list)),
                ("content_type", models.CharField(max_length=20)),
                ("posted_at", models.DateTimeField()),
                ("likes", models.PositiveIntegerField(default=0)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sandbox_posts",
                        to="platforms.platformaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["-posted_at", "-id"],
                "verbose_name": "sandbox post",
                "constraints": [models.UniqueConstraint(fields=("account", "key"), name="sandbox_key_once")],
                "indexes": [models.Index(fields=["account", "-posted_at", "-id"], name="sandbox_feed")],
            },
        ),
        migrations.CreateModel(
            name="SandboxComment",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("author", models.CharField(max_length=120)),
                ("text", models.CharField(max_length=1000)),
                ("created_at", models.DateTimeField()),
                (
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comments",
                        to="sandbox.sandboxpost",
                    ),
                ),
            ],
            options={"ordering": ["created_at", "id"]},
        ),
    ]
