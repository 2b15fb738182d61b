"""PostgreSQL: vacuum the busy tables by rows, not by share, and leave room on their pages (ENGINE R42)."""

from django.db import migrations

TABLES = ("schedules_job", "schedules_jobcheck")
TUNED = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, fillfactor = 80"
PLAIN = "autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, fillfactor"


def _each(schema_editor, clause):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in TABLES:
        schema_editor.execute(f"ALTER TABLE {table} {clause}")


def tune(apps, schema_editor):
    _each(schema_editor, f"SET ({TUNED})")


def untune(apps, schema_editor):
    _each(schema_editor, f"RESET ({PLAIN})")


class Migration(migrations.Migration):
    dependencies = [("schedules", "0001_initial")]
    operations = [migrations.RunPython(tune, untune)]
