"""Lists of the statistics API whose pages are not all of it: refused, never taken as they are."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.outcomes.remote.hosts import Hosts, client
from services.outcomes.statistics import paging
from services.outcomes.statistics.client import Statistics
from services.outcomes.statistics.paging import Incomplete
from tests.publisher import DATA_SET, Publisher, example


@pytest.fixture
async def statistics(publisher: Publisher) -> AsyncIterator[Statistics]:
    async with client(Hosts.of("", publisher.host), base_url=f"{publisher.url}/statistics") as http:
        yield Statistics(http)


(ROW,) = example("quick-start-07")["results"]
BROKEN: dict[str, tuple[list[Any], str]] = {
    "an empty page before the last": ([{"results": []}], "page 1 of 2 is empty"),
    "an empty page that is the last": ([{}, {"results": []}], "100 of 150 results came"),
    "a page with fewer rows in the middle": ([{"results": [ROW] * 99}], "149 of 150 results came"),
    "more rows than in all": ([{"paging": {"totalResults": 149}}, {"paging": {"totalResults": 149}}], "150 of 149"),
    "a single page that says that there are more rows": ([{"paging": {"totalPages": 1}}], "100 of 150 results came"),
    "no page at all of some rows": ([{"paging": {"totalPages": 0}, "results": []}], "0 of 150 results came"),
    "rows that are added in between": (
        [{}, {"paging": {"totalResults": 250, "totalPages": 3}}],
        "150 results were 250",
    ),
    "the first page again": ([{}, {"paging": {"page": 1}}], "page 1 came where page 2"),
    "rows that move to the next page": ([{"results": [ROW] * 100}, {"results": [ROW] * 50}], "page 2 repeats"),
}


@pytest.mark.parametrize(("pages", "why"), BROKEN.values(), ids=BROKEN)
async def test_rows_are_never_missing_unnoticed(
    statistics: Statistics, publisher: Publisher, pages: list[Any], why: str
) -> None:
    publisher.pages = [*pages]
    with pytest.raises(Incomplete, match=why):
        await statistics.query(DATA_SET, example("api-tests-absence-query1")["query"])
    publisher.pages = [*pages]
    with pytest.raises(Incomplete, match=why):
        await statistics.simple_query(DATA_SET, {"indicators": "04nTr"})


async def test_a_list_has_an_end(statistics: Statistics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 2)
    with pytest.raises(Incomplete, match="only 2 of 3 pages"):
        await statistics.publications()
