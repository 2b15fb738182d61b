"""Which engine runs, and what an operator is told when it cannot."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from alwrity_scheduler.engines import engine_mode

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"


def test_the_embedded_engine_needs_nothing():
    assert engine_mode("embedded", database_engine=SQLITE, has_part=lambda name: None) == "embedded"


def test_the_distributed_engine_runs_with_its_parts_on_postgresql():
    assert engine_mode("distributed", database_engine=POSTGRESQL, has_part=lambda name: True) == "distributed"


@pytest.mark.parametrize(
    ("asked", "database", "missing", "words"),
    [
        ("celery", POSTGRESQL, "", "ENGINE is 'celery': set it to embedded"),
        ("", SQLITE, "", "ENGINE is '': set it to embedded"),
        ("distributed", SQLITE, "", "needs PostgreSQL"),
        ("distributed", POSTGRESQL, "celery", "needs celery, which is not installed: add the extra `distributed`"),
    ],
)
def test_what_cannot_run_is_refused_with_the_remedy(asked, database, missing, words):
    with pytest.raises(ImproperlyConfigured, match=words.split("`")[0]):
        engine_mode(asked, database_engine=database, has_part=lambda name: None if name == missing else True)
