"""What can be watched from outside: metrics of few labels, and traces that cross the services and hold no values."""

import asyncio
import subprocess
import sys

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from services import tracing
from services.demo import cast
from services.kernel.types import Kind
from tests.wire.loopback import served
from tests.world import World, world_on


async def samples(world: World) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every number that Prometheus would read now."""
    transport = httpx.ASGITransport(app=world.system.metrics)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        assert (await http.get("/v1/contracts")).status_code == 404
        answer = await http.get("/metrics")
    return {
        (each.name, frozenset(each.labels.items())): each.value
        for family in text_string_to_metric_families(answer.text)
        for each in family.samples
    }


async def test_requests_pools_and_jobs_are_counted(seeded_world: World) -> None:
    actors = await seeded_world.cast()
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    for _ in range(3):
        await actors["rsc"].get(f"/v1/contracts/{made['id']}")
    await actors["rsc"].ask("GET", "/v1/Jane%20Marple")
    await actors["rsc"].change(f"/v1/contracts/{made['id']}", "offer")
    found = await samples(seeded_world)

    def count(service: str, route: str, status: str, method: str = "GET") -> float:
        labels = {"service": service, "route": route, "status": status, "method": method}
        return found.get(("ringfence_requests_total", frozenset(labels.items())), 0)

    route = "/v1/contracts/{contract_id}"
    assert count("gateway", route, "200") == 4
    assert count("contracts", route, "200") == 1
    assert count("contracts", route, "304") == 3, "asked whether what the gateway keeps still stands"
    assert count("gateway", "none", "404") == 1
    assert "Marple" not in str(found)
    assert made["id"] not in str(found)
    up = {dict(labels)["service"]: value for (name, labels), value in found.items() if name == "ringfence_database_up"}
    assert up == {"gateway": 1, "contracts": 1, "outcomes": 1, "tables": 1}
    due = {dict(labels)["kind"] for (name, labels), value in found.items() if name == "ringfence_jobs_due" and value}
    assert due
    assert found["ringfence_breaker_open", frozenset({("service", "gateway"), ("peer", "outcomes")})] == 0
    assert len(found) < 500


async def test_metrics_are_not_at_the_door(world: World) -> None:
    assert (await world.http.get("/metrics")).status_code == 404


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is exported from here on."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    kept = InMemorySpanExporter()
    present = trace.get_tracer_provider()
    provider = present if isinstance(present, TracerProvider) else tracing.provider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return kept


async def test_one_trace_crosses_the_services(seeded_url: str, keys_dir, spans: InMemorySpanExporter) -> None:
    async with world_on(seeded_url, keys_dir) as world, served(world.system.apps["outcomes"]) as url:
        for peer in world.system.peers:
            if peer.name == "outcomes":
                peer.client = tracing.TracedClient(base_url=url)
        reader = await world.client(Kind.DFE)
        spans.clear()
        answer = await reader.ask("GET", "/v1/schools", params={"q": "Jane Marple"})
        assert answer.status_code == 200
        await asyncio.sleep(0.1)
    found = spans.get_finished_spans()
    asked = [each for each in found if each.kind is trace.SpanKind.SERVER and "/v1/schools" in each.name]
    assert len(asked) == 2, [each.name for each in found]
    assert len({each.context.trace_id for each in asked}) == 1
    outer, inner = sorted(asked, key=lambda each: each.start_time or 0)
    calls = [each for each in found if each.kind is trace.SpanKind.CLIENT and "outcomes" not in each.name]
    assert inner.parent.span_id in {each.context.span_id for each in calls}
    statements = [each for each in found if each.attributes and "db.query.text" in each.attributes]
    assert {each.context.trace_id for each in statements} == {outer.context.trace_id}
    assert statements
    told = str([(each.name, dict(each.attributes or {})) for each in found])
    assert "Marple" not in told
    assert reader.headers["Authorization"].rpartition(" ")[2] not in told


def test_nothing_of_it_is_loaded_unless_traces_are_wanted() -> None:
    program = "import sys, services.system; print([m for m in sys.modules if m.startswith('opentelemetry.sdk')])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]", found.stdout
