"""Fills the registry: the built-in adapters (each folder of `platforms/adapters` with an `adapter.py` that says `ADAPTER`), then
those that other packages offer as entry points."""

from __future__ import annotations

import logging
import pkgutil
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from platforms import adapters as folder
from platforms.base import Adapter
from platforms.registry import adapters

GROUP = "alwrity.platforms"
logger = logging.getLogger(__name__)


def register() -> None:
    """Called once, from PlatformsConfig.ready()."""
    for found in sorted(pkgutil.iter_modules(folder.__path__), key=lambda item: item.name):
        adapter: Adapter = import_module(f"platforms.adapters.{found.name}.adapter").ADAPTER
        if adapter.key not in adapters:
            adapters.register(adapter.key, adapter)
    for entry_point in entry_points(group=GROUP):
        load(entry_point)


def load(entry_point: EntryPoint) -> None:
    """Register one foreign adapter (a class or an instance). A broken one is logged with its name and skipped:
    a bad plug-in must not stop the others from publishing."""
    try:
        found = entry_point.load()
        adapter = found() if isinstance(found, type) else found
        if not isinstance(adapter, Adapter):
            raise TypeError(f"{entry_point.value} is not an Adapter")
        if adapter.key not in adapters:
            adapters.register(adapter.key, adapter)
    except Exception:
        logger.exception(
            "The platform adapter %s (%s) cannot be loaded and is skipped.",
            entry_point.name,
            entry_point.value,
            extra={"action": "adapter_broken"},
        )
