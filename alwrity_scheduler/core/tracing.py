"""OpenTelemetry where it is installed (extra `otel`) and switched on; nothing otherwise. The only module that imports it.

Spans go wherever the operator's SDK sends them: `opentelemetry-instrument python manage.py runscheduler`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

try:
    from opentelemetry import trace
except ImportError:  # the extra is not installed
    trace = None  # type: ignore[assignment]

_NOTHING = nullcontext()


def is_on() -> bool:
    """Is there somebody to send spans to?"""
    return trace is not None and not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def span(name: str, **attributes: Any) -> AbstractContextManager[None]:
    """A span around a block; attributes become `alwrity.…`. Costs less than a microsecond while tracing is off."""
    return _recorded(name, attributes) if is_on() else _NOTHING


@contextmanager
def _recorded(name: str, attributes: dict[str, Any]) -> Iterator[None]:
    tracer = trace.get_tracer("alwrity_scheduler")
    plain = {
        f"alwrity.{key}": value if isinstance(value, (int, float)) else str(value) for key, value in attributes.items()
    }
    # an exception's words may quote a request, so only its kind is told
    with tracer.start_as_current_span(
        name, attributes=plain, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_attribute("error.type", type(error).__qualname__)
            current.set_status(trace.StatusCode.ERROR)
            raise
