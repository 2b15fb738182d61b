"""Put every stored secret under the first encryption key; make a new key; drop the old ones."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models

from alwrity_scheduler.core.secrets import (
    CannotDecrypt,
    EncryptedJSONField,
    generate_key,
    holders,
    keys_file,
    keys_in_file,
    reencrypt,
)

BATCH = 500


class Command(BaseCommand):
    help = (
        "Re-encrypts every stored secret with the first of ENCRYPTION_KEYS. Safe to interrupt and to run again: "
        "what is done stays done. Running processes go on reading; restart them soon so that they write with the new key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--new-key",
            action="store_true",
            help="First put a new key in front, in keys.env of the data folder.",
        )
        parser.add_argument(
            "--drop-old",
            action="store_true",
            help="Afterwards remove the old keys from keys.env. "
            "Restart every process BEFORE this, so that none writes with an old key.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        keys = self._current_keys(needs_file=options["new_key"] or options["drop_old"])
        if options["new_key"]:
            keys = (generate_key(), *keys)
            write_keys(keys)
            self.stdout.write(
                f"A new key is in front in {keys_file()}; the old one stays behind it, so nothing breaks."
            )
        unreadable = sum(self._rotate(model, field, keys) for model, field in encrypted_fields())
        for holder in holders():
            done = holder(keys)
            unreadable += done.unreadable
            self.stdout.write(f"{done.label}: {done.changed} of {done.seen} rows re-encrypted.")
        if unreadable:
            raise CommandError(
                f"{unreadable} rows could not be read with any key of ENCRYPTION_KEYS and were left alone. "
                "Put their key back, or enter those credentials anew. No key was dropped."
            )
        if options["new_key"]:
            self.stdout.write(
                "Restart every running process: until then it reads the new key from the file but writes with the old one."
            )
        if options["drop_old"]:
            write_keys(keys[:1])
            self.stdout.write(f"{len(keys) - 1} old keys were dropped. Restart every process.")

    def _current_keys(self, *, needs_file: bool) -> tuple[str, ...]:
        """The file's keys when this process got its keys from the file, else the environment's."""
        own, filed = tuple(settings.ENCRYPTION_KEYS), keys_in_file()
        if not own:
            raise CommandError("ENCRYPTION_KEYS is empty. Run `manage.py quickstart` once: it makes a key.")
        if own == filed:
            return filed
        if needs_file:
            raise CommandError(
                "ENCRYPTION_KEYS comes from the environment here, not from keys.env, so this command cannot change it. "
                "Put a new key in front of the list there (comma between them), restart, and run rotate_keys without options."
            )
        return own

    def _rotate(self, model: type[models.Model], field: str, keys: tuple[str, ...]) -> int:
        """Re-encrypt one field of all rows in batches by primary key. Returns how many rows could not be read."""
        changed = seen = unreadable = 0
        last: Any = None
        while True:
            rows = (
                model._base_manager.order_by("pk")
                if last is None
                else model._base_manager.filter(pk__gt=last).order_by("pk")
            )
            batch = list(rows.values_list("pk", field)[:BATCH])
            if not batch:
                break
            for pk, stored in batch:
                seen += 1
                token = stored.sealed()
                try:
                    fresh = reencrypt(token, keys=keys) if token else token
                except CannotDecrypt:
                    unreadable += 1
                    continue
                # Compare-and-set: credentials a person saved in between are newer than what was read here.
                if fresh != token:
                    changed += model._base_manager.filter(pk=pk, **{field: token}).update(**{field: fresh})
            last = batch[-1][0]
        self.stdout.write(f"{model._meta.label}.{field}: {changed} of {seen} rows re-encrypted.")
        return unreadable


def encrypted_fields() -> Iterator[tuple[type[models.Model], str]]:
    """Every encrypted field of every installed model, in a fixed order."""
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label):
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedJSONField):
                yield model, field.attname


def write_keys(keys: tuple[str, ...]) -> None:
    """Replace the line in keys.env in one step, readable by its owner only."""
    path = keys_file()
    lines = [line for line in path.read_text().splitlines() if not line.startswith("ENCRYPTION_KEYS=")]
    lines.append("ENCRYPTION_KEYS=" + ",".join(keys))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".keys-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
