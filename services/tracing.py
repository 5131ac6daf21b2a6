"""Traces, when OTEL_EXPORTER_OTLP_ENDPOINT says where to send them; needs the extra `otel`. Loaded only then.

FastAPI makes the spans of requests by itself once there is a provider. Here are those of calls between services
(`traceparent` goes along) and of SQL statements, which hold no values. Query strings may hold names: they are left out.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import httpx
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from psycopg.rows import DictRow
from sqlalchemy import event

from services.gateway.wire import Wire
from services.kernel.db import Database

Sending = Callable[..., Coroutine[Any, Any, list[DictRow]]]
tracer = trace.get_tracer("ringfence")


class WithoutQueries(SpanProcessor):
    """Takes query strings out of every span as it begins."""

    def on_start(self, span: Span, parent_context: Any = None) -> None:  # noqa: D102
        if span.attributes and "url.query" in span.attributes:
            span.set_attribute("url.query", "REDACTED")


def provider() -> TracerProvider:
    """The provider of this process, which exports nothing yet."""
    made = TracerProvider(resource=Resource.create({"service.name": "ringfence"}))
    made.add_span_processor(WithoutQueries())
    trace.set_tracer_provider(made)
    return made


def export() -> None:
    """Send spans to where the environment says."""
    provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


class TracedClient(httpx.AsyncClient):
    """A client whose every request is a span, and which tells the other side of it."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """One request."""
        facts = {"http.request.method": request.method, "server.address": request.url.host}
        with tracer.start_as_current_span(
            f"{request.method} {request.url.host}", kind=SpanKind.CLIENT, attributes=facts
        ) as span:
            propagate.inject(request.headers)
            answer = await super().send(request, **options)
            span.set_attribute("http.response.status_code", answer.status_code)
            if answer.status_code >= 500:
                span.set_status(Status(StatusCode.ERROR))
            return answer


def trace_statements(databases: Sequence[Database], wires: Sequence[Wire]) -> None:
    """Make every SQL statement of these databases a span, and those that go by the driver itself."""
    for wire in wires:
        wire.sent = spanned(wire.sent)  # type: ignore[method-assign]
    for database in databases:
        engine = database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", begin_statement)
        event.listen(engine, "after_cursor_execute", end_statement)
        event.listen(engine, "handle_error", fail_statement)


def spanned(sent: Sending) -> Sending:
    """Sending a statement, in a span."""

    async def send(connection: Any, statement: str, values: Any) -> list[DictRow]:
        with tracer.start_as_current_span(verb(statement), kind=SpanKind.CLIENT, attributes=told(statement)):
            return await sent(connection, statement, values)

    return send


def verb(statement: str) -> str:
    """The first word of a statement."""
    return statement.split(None, 1)[0].upper()


def told(statement: str) -> dict[str, str]:
    """What a span tells of a statement: its text, which holds no values."""
    return {"db.system.name": "postgresql", "db.query.text": statement}


def begin_statement(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
    """A statement goes to the database."""
    context.span = tracer.start_span(verb(statement), kind=SpanKind.CLIENT, attributes=told(statement))


def end_statement(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
    """The database has answered."""
    context.span.end()


def fail_statement(failure: Any) -> None:
    """The database has refused, or is away."""
    span = getattr(failure.execution_context, "span", None)
    if span is not None:
        span.set_status(Status(StatusCode.ERROR))
        span.end()
