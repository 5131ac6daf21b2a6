"""One OpenAPI description of all three services, as clients see them at the gateway."""

import json
from typing import Any

from services.gateway import forward
from services.gateway.completion import complete
from services.gateway.rules.scopes import SCOPES

REFERENCE = "#/components/schemas/"


def merged(own: dict[str, Any], answered: set[tuple[str, str]]) -> dict[str, Any]:
    """The gateway's own description with the public paths of the services behind it.

    `answered` names what the gateway answers itself (method, path), also where a service offers it too.
    """
    whole = {**own, "info": INFO, "servers": [{"url": "/", "description": "This gateway"}], "tags": TAGS}
    paths, schemas = dict(own["paths"]), dict(own["components"]["schemas"])
    for service in forward.BEHIND:
        other = forward.description(service)
        offered = {
            path: {method: operation for method, operation in item.items() if (method, path) not in answered}
            for path, item in forward.public(other["paths"]).items()
        }
        offered, needed = without_clashes(service, offered, other["components"]["schemas"], schemas)
        schemas |= needed
        for item in offered.values():
            for operation in item.values():
                if operation.get(forward.OPEN_TO_ALL):
                    operation["security"] = []
        for path, item in offered.items():
            paths[path] = {**item, **paths.get(path, {})}
    security = own["components"]["securitySchemes"]
    security["oauth2"]["flows"]["clientCredentials"]["scopes"] = SCOPES
    components = {"schemas": dict(sorted(schemas.items())), "securitySchemes": security}
    return complete({**whole, "paths": dict(sorted(paths.items())), "components": components})


def without_clashes(
    service: str, paths: dict[str, Any], theirs: dict[str, Any], present: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Paths and the schemas they use, renamed after their service where another schema has the same name."""
    used: dict[str, Any] = {}
    waiting = references(paths)
    while waiting:
        name = waiting.pop()
        if name not in used:
            used[name] = theirs[name]
            waiting |= references(theirs[name])
    clashing = {name for name, schema in used.items() if present.get(name, schema) != schema}
    text = json.dumps([paths, used])
    for name in clashing:
        text = text.replace(f'"{REFERENCE}{name}"', f'"{REFERENCE}{service.title()}{name}"')
    paths, used = json.loads(text)
    return paths, {f"{service.title()}{name}" if name in clashing else name: each for name, each in used.items()}


def references(part: Any) -> set[str]:
    """Names of the schemas that a part of a description refers to."""
    if isinstance(part, dict):
        own = {str(part["$ref"]).removeprefix(REFERENCE)} if "$ref" in part else set()
        return own.union(*(references(each) for each in part.values()))
    return set().union(*(references(each) for each in part)) if isinstance(part, list) else set()


INFO = {
    "title": "Ringfence",
    "version": "1",
    "summary": "Contracts for school improvement, kept apart from performance tables until they have worked.",
    "description": (
        "A commissioner contracts a proven multi-academy trust for a fixed term to improve a school. The trust is "
        "held to account as a supplier; the school's results are kept apart from the trust's tables; where it "
        "worked, the school becomes a full member."
    ),
    "license": {"name": "MIT", "identifier": "MIT"},
    "contact": {"name": "Ringfence", "url": "https://ringfence.education/"},
}
TAGS = [
    {"name": "access", "description": "Clients, API keys and tokens"},
    {"name": "contracts", "description": "What was promised, by whom, for how much, until when"},
    {"name": "suppliers", "description": "The register of suppliers: capacity, methods, track record, shortlists"},
    {"name": "milestones", "description": "Facts about milestones, recorded once"},
    {"name": "performance", "description": "Reviews, assessments and findings: the trust as a supplier"},
    {"name": "duties", "description": "What must be published or done by when, and the notices that show that it was"},
    {"name": "publication", "description": "What the public is told, by the Open Contracting Data Standard"},
    {"name": "finance", "description": "Payments, claims, invoices, statements and exports"},
    {"name": "outcomes", "description": "Evaluations against target and matched comparators"},
    {"name": "schools", "description": "Schools and what was observed of them, as DfE publishes it"},
    {"name": "trusts", "description": "Trusts and their members, as DfE publishes them"},
    {"name": "measures", "description": "The catalogue of measures"},
    {"name": "needs", "description": "Which schools need help most urgently, and how sure that is"},
    {"name": "releases", "description": "Published files, ingested"},
    {"name": "ring-fences", "description": "Results kept apart, and trusts' performance tables"},
    {"name": "transfers", "description": "From contract to full membership"},
    {"name": "log", "description": "What happened, as leaves of a Merkle tree: checkpoints, entries, proofs"},
    {"name": "subscriptions", "description": "Who is told of what: events, webhooks, deliveries"},
    {"name": "health", "description": "Whether the service lives and can work"},
]
