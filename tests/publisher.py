"""A publisher on this machine, over real TLS: files, and the API of Explore Education Statistics by its examples."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

EXAMPLES = Path(__file__).parent / "data" / "ees"
DATA_SET = "63cfc86e-c334-4e58-2912-08da0807d53c"
PUBLICATION = "cbbd299f-8297-44bc-92ac-558bcf51f8ad"
JSON = [(b"content-type", b"application/json")]


def example(name: str) -> Any:
    """A documented answer of the API."""
    return json.loads((EXAMPLES / f"{name}.json").read_text())


@dataclass
class Publisher:
    """What it serves and how it behaves: `moods` are answers given instead of the next ones, as status and headers.
    `pages` are answers to the next queries, each what is changed of the right one.

    `cuts` are numbers of bytes after which the connection breaks, for the next downloads; `slow` seconds before each.
    `most` are the bytes that it gives of a range at once, where it does not give all that were asked for.
    `lost` are rows that the file of the data set should have and has not.
    """

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    moods: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    most: int | None = None
    sized: bool = True
    slow: float = 0.0
    versions: list[str] = field(default_factory=lambda: ["1.0"])
    pages: list[Any] = field(default_factory=list)
    metadata: Any = field(default_factory=lambda: example("quick-start-04"))
    csv: bytes = b""
    lost: int = 0
    tag: str = '"v1"'
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://localhost:{self.port}"

    @property
    def host(self) -> str:
        """Its name, as it is put on a list of hosts."""
        return f"localhost:{self.port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["method"], scope["path"], headers))
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message.get("body", b"")
        await asyncio.sleep(self.slow)
        if self.moods:
            status, extra = self.moods.pop(0)
            extras = [(name.encode(), value.encode()) for name, value in extra.items()]
            await whole(send, status, json.dumps(example("error-handling-01")).encode(), JSON + extras)
        elif scope["path"] in self.redirects:
            await whole(send, 302, b"", [(b"location", self.redirects[scope["path"]].encode())])
        elif scope["path"] in self.files:
            await self.file(send, self.files[scope["path"]], headers)
        elif scope["path"].endswith("/csv"):
            await self.file(send, self.csv, headers)
        else:
            query = {name: each[0] for name, each in parse_qs(scope["query_string"].decode()).items()}
            status, answer = self.api(scope["method"], scope["path"], query, json.loads(body) if body else None)
            await whole(send, status, json.dumps(answer).encode(), JSON)

    async def file(self, send: Any, content: bytes, headers: dict[str, str]) -> None:
        """Serve a file: with its tag, from a place on when asked to, and broken off where a cut says so."""
        if headers.get("if-none-match") == self.tag:
            await whole(send, 304, b"", [(b"etag", self.tag.encode())])
            return
        status, start, extra = 200, 0, [(b"etag", self.tag.encode())]
        if self.ranges and "range" in headers and headers.get("if-range") == self.tag:
            start = int(headers["range"].removeprefix("bytes=").removesuffix("-"))
            status = 206
        rest = content[start : start + (self.most or len(content))] if status == 206 else content
        if status == 206:
            extra.append((b"content-range", f"bytes {start}-{start + len(rest) - 1}/{len(content)}".encode()))
        if self.sized:
            extra.append((b"content-length", str(len(rest)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": extra})
        if self.cuts:
            await send({"type": "http.response.body", "body": rest[: self.cuts.pop(0)], "more_body": True})
            raise ConnectionAbortedError("cut")
        await send({"type": "http.response.body", "body": rest})

    def api(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """The API's answer to a path, by the documented examples."""
        match path.removeprefix("/statistics/v1/").split("/"):
            case ["publications"]:
                return 200, self.publications(query)
            case ["publications", publication, "data-sets"] if publication == PUBLICATION:
                return 200, self.data_sets()
            case ["data-sets", data_set] if data_set == DATA_SET:
                return 200, self.data_sets()["results"][0]
            case ["data-sets", data_set, "meta"] if data_set == DATA_SET:
                return 200, self.metadata
            case ["data-sets", data_set, "query"] if data_set == DATA_SET:
                return self.query(body if method == "POST" else query)
            case ["data-sets", data_set, "versions"] if data_set == DATA_SET:
                return 200, paged([self.version(each) for each in self.versions], 1, 20)
            case ["data-sets", data_set, "versions", number] if data_set == DATA_SET and number in self.versions:
                return 200, self.version(number)
            case ["data-sets", data_set, "versions", number, "changes"] if data_set == DATA_SET:
                return 200, changes(number)
            case ["data-sets", "withdrawn", *_]:
                return 403, {"title": "Forbidden", "type": "https://tools.ietf.org/html/rfc9110", "status": 403}
        return 404, {"title": "Not Found", "type": "https://tools.ietf.org/html/rfc9110#section-15.5.5", "status": 404}

    def publications(self, query: dict[str, str]) -> Any:
        """Fifty publications, twenty a page at most in this example."""
        one = example("quick-start-01")["results"][0]
        names = [f"{one['title']} {number}" if number else one["title"] for number in range(50)]
        found = [one | {"title": name} for name in names if query.get("search", "").lower() in name.lower()]
        return paged(found, int(query.get("page", 1)), min(int(query.get("pageSize", 20)), 20))

    def data_sets(self) -> Any:
        """The data set of the example, in the latest of our versions."""
        found = example("quick-start-03")
        found["results"][0]["latestVersion"]["version"] = self.versions[-1]
        return found

    def query(self, asked: Any) -> tuple[int, Any]:
        """The answer to a query: 150 results, a refusal of what is badly formed, a warning for filters not found."""
        filters = (asked.get("criteria") or {}).get("filters", {})
        if isinstance(filters.get("eq"), list):
            problem = {"title": "There are validation errors with the request.", "type": "Bad Request", "status": 400}
            return 400, problem | example("debugging-data-set-queries-04")
        warnings = []
        if "invalid-filter-1" in filters.get("in", ()):
            warnings = [
                *example("debugging-data-set-queries-12")["warnings"],
                *example("debugging-data-set-queries-13")["warnings"],
            ]
        (row,) = example("quick-start-07")["results"]
        rows = [] if warnings else [row | {"values": {"04nTr": str(1708016 + place)}} for place in range(150)]
        found = paged(rows, int(asked["page"]), min(int(asked["pageSize"]), 100)) | {"warnings": warnings}
        changed = self.pages.pop(0) if self.pages else {}
        return 200, found | changed | {"paging": found["paging"] | changed.get("paging", {})}

    def version(self, number: str) -> Any:
        """A version, by the examples in the definition of the API, of as many rows as its file has."""
        return {
            "version": number,
            "type": "Major" if number.endswith(".0") else "Minor",
            "status": "Published",
            "published": "2024-03-01T09:30:00+00:00",
            "notes": "Some notes about the version.",
            "totalResults": self.csv.count(b"\n") - 1 + self.lost,
            "file": {"id": "e0754872-3206-4918-aad4-029eaaae191f"},
            "release": {"title": "Spring term 2023/24", "slug": "2023-24-spring-term"},
            "timePeriods": {"start": "2023/24", "end": "2023/24"},
            "geographicLevels": ["School"],
            "filters": ["School type"],
            "indicators": ["Overall absence rate"],
        }


def paged(found: list[Any], page: int, size: int) -> Any:
    """One page of a list."""
    facts = {"page": page, "pageSize": size, "totalResults": len(found), "totalPages": -(-len(found) // size)}
    return {"paging": facts, "results": found[(page - 1) * size : page * size]}


def changes(number: str) -> Any:
    """What a version changed, by the examples in the definition of the API."""
    indicator = {"id": "enW68", "column": "sess_authorised", "label": "Percentage of authorised sessions", "unit": "%"}
    option = {"id": "q1g3J", "label": "State-funded primary"}
    school_type = {"id": "BRlj4", "column": "school_type", "label": "School type", "hint": ""}
    major = {
        "indicators": [{"previousState": indicator}],
        "filterOptions": [{"filter": school_type, "options": [{"previousState": option}]}],
    }
    minor = {
        "indicators": [
            {
                "previousState": indicator | {"column": "enrolments", "label": "Enrolments"},
                "currentState": indicator | {"column": "number_of_enrolments", "label": "Number of enrolments"},
            }
        ],
        "filterOptions": [{"filter": school_type, "options": [{"currentState": option}]}],
    }
    kind = number.split(".")
    return {
        "versionNumber": number,
        "notes": "Read the guidance." if kind[1:] == ["0"] else None,
        "majorChanges": major if kind[1:] == ["0"] else {},
        "minorChanges": minor if len(kind) == 2 else {},
        "patchHistory": None,
    }


async def whole(send: Any, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send an answer in one piece."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def certificate(folder: Path) -> Path:
    """A certificate for localhost that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "localhost.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@asynccontextmanager
async def publishing(pem: Path) -> AsyncIterator[Publisher]:
    """A publisher that answers on a port of its own."""
    publisher = Publisher()
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    publisher.port = door.getsockname()[1]
    config = uvicorn.Config(
        publisher,
        log_config=None,
        access_log=False,
        lifespan="off",
        ssl_certfile=pem,
        ssl_keyfile=pem,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[door]))
    try:
        yield publisher
    finally:
        server.should_exit = True
        await running
