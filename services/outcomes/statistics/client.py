"""Client of the public API of Explore Education Statistics (v1): patient, polite, and sure of what it got."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from services.kernel.errors import DomainError, NotFound, Unprocessable
from services.outcomes.remote.downloads import MAX_FILE, Downloaded, Told, download, exchange
from services.outcomes.remote.errors import FetchFailed, TooLarge, failure
from services.outcomes.remote.patience import Bucket, Patience
from services.outcomes.rules.ees_versions import Version
from services.outcomes.statistics.changes import Changes
from services.outcomes.statistics.models import (
    Answer,
    DataSet,
    DataSetVersion,
    Metadata,
    Page,
    Problem,
    Publication,
    Row,
)
from services.outcomes.statistics.paging import Pages

MAX_ANSWER = 32 * 2**20
PUBLICATIONS_A_PAGE, DATA_SETS_A_PAGE, ROWS_A_PAGE = 40, 20, 10_000
"""The greatest pages that the API gives."""
Item = TypeVar("Item", bound=Answer)
Shape = TypeVar("Shape", bound=BaseModel)
Query = Mapping[str, Any]
"""A query as the API takes it: `criteria`, `indicators`, `sorts`."""


class StatisticsRefused(Unprocessable):
    """The API found something wrong with the request; `errors` tell where and what."""

    code = "statistics_refused"
    title = "The statistics API refused the request"


class StatisticsNotFound(NotFound):
    """The API has no such publication, data set or version."""

    code = "statistics_not_found"
    title = "The statistics API has no such thing"


class StatisticsForbidden(DomainError):
    """The API does not show this data set or version: it is not published yet, or withdrawn."""

    status = 403
    code = "statistics_forbidden"
    title = "The statistics API does not show this"


class NotUnderstood(FetchFailed):
    """The API answered something else than its definition says."""

    code = "fetch_not_understood"


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query gave: rows from all pages, and what the API remarked on it."""

    results: list[Row] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, page: Page[Row]) -> None:
        """Add the rows of a page, and its remarks once."""
        self.results.extend(page.results)
        self.warnings.extend(each.words for each in page.warnings if each.words not in self.warnings)


class Statistics:
    """The API at the address that the client was made for, such as https://api.education.gov.uk/statistics."""

    def __init__(self, http: httpx.AsyncClient, *, patience: Patience | None = None, bucket: Bucket | None = None):
        self.http, self.patience, self.bucket = http, patience or Patience(), bucket or Bucket()

    async def publications(self, search: str | None = None) -> list[Publication]:
        """All publications that have data sets, or those whose title or summary has these words."""
        wanted = {"search": search} if search else {}
        return await self.listed("/v1/publications", Publication, PUBLICATIONS_A_PAGE, wanted)

    async def data_sets(self, publication: str) -> list[DataSet]:
        """The data sets of a publication; raises StatisticsNotFound."""
        return await self.listed(f"/v1/publications/{part(publication)}/data-sets", DataSet, DATA_SETS_A_PAGE)

    async def data_set(self, data_set: str) -> DataSet:
        """A data set with its latest version; raises StatisticsNotFound and StatisticsForbidden."""
        return await self.asked("GET", f"/v1/data-sets/{part(data_set)}", DataSet)

    async def metadata(self, data_set: str, version: Version | None = None) -> Metadata:
        """What a version, or the latest, is made of."""
        return await self.asked("GET", f"/v1/data-sets/{part(data_set)}/meta", Metadata, params=in_version(version))

    async def versions(self, data_set: str) -> list[DataSetVersion]:
        """All versions of a data set, as the API orders them."""
        return await self.listed(f"/v1/data-sets/{part(data_set)}/versions", DataSetVersion, DATA_SETS_A_PAGE)

    async def version(self, data_set: str, version: Version) -> DataSetVersion:
        """One version of a data set."""
        return await self.asked("GET", f"/v1/data-sets/{part(data_set)}/versions/{version}", DataSetVersion)

    async def changes(self, data_set: str, version: Version, *, patches: bool = False) -> Changes:
        """What a version changed from the one before, if wanted with the patches of it."""
        asked = {"includePatchHistory": "true"} if patches else {}
        path = f"/v1/data-sets/{part(data_set)}/versions/{version}/changes"
        return await self.asked("GET", path, Changes, params=asked)

    async def query(self, data_set: str, query: Query, version: Version | None = None) -> Rows:
        """The rows that a query finds, from all its pages; raises StatisticsRefused."""
        path = f"/v1/data-sets/{part(data_set)}/query"
        body = {"pageSize": ROWS_A_PAGE, **query}

        async def ask(number: int) -> Page[Row]:
            return await self.asked("POST", path, Page[Row], params=in_version(version), json={**body, "page": number})

        return await rows_of(self.pages(path, ask))

    async def simple_query(self, data_set: str, query: Query, version: Version | None = None) -> Rows:
        """As `query`, for one that fits into an address: names as `filters.in`, several values separated by commas."""
        asked = {"pageSize": str(ROWS_A_PAGE), **query, **in_version(version)}
        return await rows_of(self.got(f"/v1/data-sets/{part(data_set)}/query", Page[Row], asked))

    async def csv(
        self, data_set: str, version: Version | None = None, *, known: str | None = None, told: Told | None = None
    ) -> Downloaded | None:
        """The whole data set as CSV, with labels instead of ids; None when it is still the `known` one (its ETag)."""
        await self.bucket.take()
        path = str(self.http.build_request("GET", self.csv_path(data_set), params=in_version(version)).url)
        return await download(self.http, path, known=known, most=MAX_FILE, patience=self.patience, told=told)

    @staticmethod
    def csv_path(data_set: str) -> str:
        """Where a data set lies as CSV."""
        return f"/v1/data-sets/{part(data_set)}/csv"

    async def listed(
        self, path: str, kind: type[Item], size: int, params: Mapping[str, str] | None = None
    ) -> list[Item]:
        """Everything in a list, page by page."""
        asked = {"pageSize": str(size), **(params or {})}
        return [each async for page in self.got(path, Page[kind], asked) for each in page.results]  # type: ignore[valid-type]

    def got(self, path: str, shape: type[Page[Item]], params: Mapping[str, str]) -> AsyncIterator[Page[Item]]:
        """The pages of a list at an address."""

        async def ask(number: int) -> Page[Item]:
            return await self.asked("GET", path, shape, params={**params, "page": str(number)})

        return self.pages(path, ask)

    @staticmethod
    async def pages(path: str, ask: Callable[[int], Awaitable[Page[Item]]]) -> AsyncIterator[Page[Item]]:
        """The pages of a list until its last; raises Incomplete when they are not all of it."""
        counted = Pages(path)
        for number in count(1):
            page = await ask(number)
            is_last = counted.add(page, number)
            yield page
            if is_last:
                return

    async def asked(self, method: str, path: str, shape: type[Shape], **request: Any) -> Shape:
        """One answer in its shape, tried again where that may help; raises FetchFailed and what the API refuses."""

        async def once() -> bytes:
            await self.bucket.take()
            async with exchange(self.http, method, path, **request) as response:
                content = await within(response)
                if response.is_success:
                    return content
                raise refusal(response, content)

        try:
            return shape.model_validate_json(await self.patience.of(once))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise NotUnderstood(f"The statistics API's answer to {path} is not as described: {place}.") from error


def part(text: str) -> str:
    """An id as part of a path."""
    return quote(text, safe="")


def in_version(version: Version | None) -> dict[str, str]:
    """The parameter that names a version."""
    return {"dataSetVersion": str(version)} if version else {}


async def rows_of(pages: AsyncIterator[Page[Row]]) -> Rows:
    """The rows of all pages of a query."""
    found = Rows()
    async for page in pages:
        found.add(page)
    return found


async def within(response: httpx.Response) -> bytes:
    """The body of an answer; raises TooLarge."""
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > MAX_ANSWER:
            raise TooLarge(f"The answer is larger than {MAX_ANSWER >> 20} MiB.")
    return bytes(content)


def refusal(response: httpx.Response, content: bytes) -> DomainError:
    """The error that an answer of the API stands for, in its own words."""
    try:
        said = Problem.model_validate_json(content)
    except ValidationError:
        said = Problem()
    words = said.detail or said.title or f"It answered {response.status_code}."
    if response.status_code in {400, 422}:
        found = [{"pointer": each.path or "", "code": each.code, "detail": each.message} for each in said.errors]
        told = "; ".join(each.words for each in said.errors)
        return StatisticsRefused(told or words, errors=found)
    if response.status_code == 404:
        return StatisticsNotFound(f"{words} Look the id up in the list of publications and data sets.")
    if response.status_code == 403:
        return StatisticsForbidden(f"{words} It is not published yet, or was withdrawn.")
    return failure(response)
