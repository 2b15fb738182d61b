"""The adapters this installation has. Filled by `platforms.wiring` at start-up; read by services and screens."""

from __future__ import annotations

from alwrity_scheduler.core.registry import Registry
from platforms.base import Adapter
from platforms.errors import AdapterMissing

adapters: Registry[Adapter] = Registry("adapter")


def adapter_for(platform: str) -> Adapter:
    """The adapter of this name. Raises AdapterMissing, with the remedy, when none is installed."""
    adapter = adapters.get(platform)
    if adapter is None:
        raise AdapterMissing(platform)
    return adapter
