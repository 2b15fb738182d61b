"""Spans: nothing without OpenTelemetry or without a provider, and no words of exceptions."""

from __future__ import annotations

import pytest

from alwrity_scheduler.core import tracing

otel = pytest.importorskip("opentelemetry.sdk.trace", reason="opentelemetry-sdk is not installed (uv sync)")


@pytest.fixture
def spans(monkeypatch):
    """The finished spans of a provider that belongs to the test alone."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = otel.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter.get_finished_spans
    provider.shutdown()


def test_a_span_has_its_name_and_attributes(spans):
    with tracing.span("engine.claim", kind="publish", rows=3):
        pass

    (found,) = spans()
    assert (found.name, dict(found.attributes)) == ("engine.claim", {"alwrity.kind": "publish", "alwrity.rows": 3})


def test_spans_nest(spans):
    with tracing.span("outer"), tracing.span("inner"):
        pass

    inner, outer = spans()
    assert inner.parent.span_id == outer.context.span_id


def test_an_exception_is_told_by_its_kind_alone(spans):
    with pytest.raises(ValueError, match="secret"), tracing.span("engine.pass"):
        raise ValueError("the secret is abc")

    (found,) = spans()
    assert found.attributes["error.type"] == "ValueError"
    assert (found.status.is_ok, found.status.description, found.events) == (False, None, ())


def test_nothing_is_recorded_without_a_provider():
    assert not tracing.is_on()
    assert tracing.span("engine.pass") is tracing.span("engine.claim")


def test_nothing_is_recorded_without_the_package(monkeypatch, spans):
    monkeypatch.setattr(tracing, "trace", None)

    with tracing.span("engine.pass"):
        pass

    assert spans() == ()
