"""Stored files as local ones: through Django's storage API alone, so that a folder and a bucket look the same."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from django.core.files.storage import Storage, default_storage

_PIECE = 1024 * 1024


def storage() -> Storage:
    """Where media are kept: STORAGES["default"]."""
    return default_storage


def local_path(name: str) -> str:
    """The file's path on this machine; empty where the storage is elsewhere."""
    try:
        return storage().path(name) if name else ""
    except NotImplementedError:
        return ""


@contextmanager
def local_copy(name: str) -> Iterator[str]:
    """A path at which the stored file can be read inside the block: its own, or a copy that goes afterwards.

    Raises FileNotFoundError when the storage has no such file, and whatever the storage raises when it cannot be reached.
    """
    path = local_path(name)
    if path:
        if not os.path.isfile(path):
            raise FileNotFoundError(name)
        yield path
        return
    with temporary(name.rpartition(".")[2]) as copy:
        with storage().open(name, "rb") as source:
            shutil.copyfileobj(source, copy, _PIECE)
        copy.flush()
        yield copy.name


@contextmanager
def temporary(extension: str) -> Iterator[IO[bytes]]:
    """A file of this ending that other programs can open by its name, and that goes afterwards."""
    with tempfile.NamedTemporaryFile(prefix="media-", suffix=f".{extension}") as file:
        yield file


def is_kept(name: str) -> bool:
    return storage().exists(name)


def names_in(folder: str) -> tuple[list[str], list[str]]:
    """(folders, files) directly in a folder; nothing where there is none."""
    try:
        return storage().listdir(folder)
    except FileNotFoundError:
        return [], []
