"""What every operation at the gateway has in common, described once: refusals, header fields, examples, links."""

from typing import Any

from services.gateway.examples import example
from services.kernel.errors import PROBLEM_BASE
from services.kernel.openapi import PROBLEM, PROBLEM_JSON, WORDS, tells

Item = dict[str, Any]
ALWAYS = (400, 414, 429, 431, 500, 503)
"""What any request may be refused with."""
WITH_BODY = (408, 413, 415)
BEHIND = (502, 504)
MORE_WORDS = {
    408: "The body came too slowly",
    414: "The address is too long",
    429: "Too many requests in this minute; see Retry-After",
    431: "The header fields are too long",
    502: "A service behind the gateway gave no usable answer; see Retry-After",
    504: "A service behind the gateway did not answer in time; see Retry-After",
}
CODES = {
    400: "bad_request",
    401: "invalid_token",
    403: "forbidden",
    404: "not_found",
    406: "not_acceptable",
    408: "request_timeout",
    409: "conflict",
    412: "stale",
    413: "content_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    422: "invalid",
    428: "precondition_required",
    429: "too_many_requests",
    431: "headers_too_long",
    500: "internal_error",
    502: "bad_gateway",
    503: "unavailable",
    504: "gateway_timeout",
}
"""The code that stands for each status when nothing more can be said; it names the shared refusal too."""
LATER = {429, 502, 503, 504}
HEADERS: dict[str, tuple[str, Item, Any]] = {
    "RateLimit-Policy": ("Requests allowed in a window of seconds", {"type": "string"}, '"caller";q=600;w=60'),
    "RateLimit": ("Requests that remain, and seconds until more", {"type": "string"}, '"caller";r=594;t=31'),
    "Retry-After": ("Seconds after which to ask again", {"type": "integer", "minimum": 0}, 30),
    "ETag": ("Strong entity tag of what was read", {"type": "string"}, '"1d0fba9b8f10eaf2c3a4d5e6"'),
    "Link": (
        "Other pages of this list (RFC 8288): next, first",
        {"type": "string"},
        '</v1/x?cursor=WyJ4Il0>; rel="next"',
    ),
    "X-Request-Id": ("Names this request in our records", {"type": "string"}, "0199e0a5-6c00-7d3a-9f00-5a3b1c2d4e6f"),
}
PAGED = {"cursor", "after", "start", "file"}
"""Parameters of what comes in pages."""
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETag of what was read before: if it is still so, the answer is 304",
    "schema": {"type": "string"},
    "example": '"1d0fba9b8f10eaf2c3a4d5e6"',
}


def name_of(status: int) -> str:
    """The name of a shared refusal, such as TooManyRequests."""
    return CODES[status].title().replace("_", "")


def reference(kind: str, name: str) -> Item:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def resolved(whole: Item, part: Item) -> Item:
    """A part of the description, or the component that it refers to."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: Item = whole["components"][kind][name]
    return found


def headers(*names: str) -> Item:
    """References to header fields."""
    return {name: reference("headers", name) for name in ("RateLimit", "RateLimit-Policy", "X-Request-Id", *names)}


def shared_components() -> Item:
    """The refusals, header fields and parameters that operations refer to."""
    words = {**WORDS, **MORE_WORDS}
    responses = {}
    for status in sorted(words):
        shown: Item = {"type": PROBLEM_BASE + CODES[status], "title": words[status]}
        shown |= {"status": status, "detail": words[status], "instance": "/v1/contracts", "code": CODES[status]}
        content = {PROBLEM_JSON: {**PROBLEM[PROBLEM_JSON], "example": shown}}
        more = ("Retry-After",) if status in LATER else ()
        responses[name_of(status)] = {"description": words[status], "headers": headers(*more), "content": content}
    responses["NotModified"] = {"description": "It is as it was when the ETag was given", "headers": headers("ETag")}
    fields = {
        name: {"description": said, "schema": schema, "example": shown}
        for name, (said, schema, shown) in HEADERS.items()
    }
    return {"responses": responses, "headers": fields, "parameters": {"IfNoneMatch": IF_NONE_MATCH}}


def complete(whole: Item) -> Item:
    """The description with everything that the gateway adds to each operation."""
    schemas = whole["components"]["schemas"]
    whole["components"] |= shared_components()
    for path, item in whole["paths"].items():
        for method, operation in item.items():
            operation.setdefault("security", [])
            operation["security"] = [
                {name: scopes if name == "oauth2" else [] for name, scopes in each.items()}
                for each in operation["security"]
            ]
            add_answers(path, method, operation)
            add_examples(operation, schemas)
    add_links(whole["paths"])
    return whole


def add_answers(path: str, method: str, operation: Item) -> None:
    """Refer to the shared refusals, and name the header fields of the other answers."""
    answers = operation["responses"]
    own = bool(operation.get("x-own-refusals"))
    quiet = path.startswith("/health/")
    expected = {
        *ALWAYS,
        *([406] if tells(operation) else ()),
        *(WITH_BODY if "requestBody" in operation else ()),
        *(BEHIND if "/v1/" in path else ()),
    }
    for status in {int(each) for each in answers if each >= "400" and not own} | expected - {
        404 if "{" not in path else 0
    }:
        if not (own and str(status) in answers):
            answers[str(status)] = reference("responses", name_of(status))
    read = method == "get" and not quiet
    more = ["ETag"] * read + ["Link"] * any(each.get("name") in PAGED for each in operation.get("parameters", []))
    for status, answer in answers.items():
        if status < "400":
            answer["headers"] = {**headers(*more), **answer.get("headers", {})}
    if read:
        answers["304"] = reference("responses", "NotModified")
        operation["parameters"] = [*operation.get("parameters", []), reference("parameters", "IfNoneMatch")]
    operation["responses"] = dict(sorted(answers.items()))


def add_examples(operation: Item, schemas: Item) -> None:
    """Show what a body and an answer look like."""
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for each in (*bodies, *operation["responses"].values()):
        for kind, medium in each.get("content", {}).items():
            if kind.endswith("json") or each in bodies:
                medium.setdefault("example", example(medium["schema"], schemas))


def add_links(paths: Item) -> None:
    """From what was made or listed to the operations that read it by its id."""
    for path, item in paths.items():
        for method, operation in item.items():
            for answer in operation["responses"].values():
                media: list[Item] = list(answer.get("content", {}).values())
                shown = media[0].get("example") if media else None
                if links := links_from(path, method, shown, paths):
                    answer["links"] = links


def links_from(path: str, method: str, shown: Any, paths: Item) -> Item:
    """Links from an answer that looks so: to what can be asked of it by its id, named after the operations there."""
    if not isinstance(shown, dict) or method not in {"get", "post"}:
        return {}
    listed = isinstance(shown.get("data"), list) and bool(shown["data"]) and isinstance(shown["data"][0], dict)
    fields, place = (shown["data"][0], "/data/0/") if listed else (shown, "/")
    links: Item = {}
    for other, item in paths.items():
        parameter, closed, below = other.removeprefix(path + "/{").partition("}")
        field = parameter if parameter in fields else "id"
        if not other.startswith(path + "/{") or not closed or "{" in below or field not in fields:
            continue
        for each in (item[name] for name in ("get", "post") if name in item):
            found = {parameter: f"$response.body#{place}{field}"}
            links[each["operationId"]] = {"operationId": each["operationId"], "parameters": found}
    return links
