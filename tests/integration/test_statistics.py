"""The client of the statistics API, against a publisher that fails, is slow, limits and breaks off."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from services.outcomes.feeds.ees_metadata import metadata as described
from services.outcomes.feeds.pairs import pair
from services.outcomes.remote import downloads, hosts
from services.outcomes.remote.downloads import download
from services.outcomes.remote.errors import (
    AddressForbidden,
    Busy,
    FetchFailed,
    NotServed,
    TimedOut,
    TooLarge,
    Unreachable,
    wait_asked,
)
from services.outcomes.remote.hosts import Hosts, UrlNotAllowed, client
from services.outcomes.remote.patience import Bucket, Patience
from services.outcomes.rules.ees_versions import Bump, Version, latest
from services.outcomes.statistics import client as api
from services.outcomes.statistics.client import Statistics
from services.outcomes.statistics.pairing import archive
from tests.publisher import DATA_SET, PUBLICATION, Publisher, example

CONTENT = bytes(range(256)) * 4096
FILE = "/file.csv"


@pytest.fixture(autouse=True)
def published(publisher: Publisher) -> None:
    publisher.files[FILE] = CONTENT


class Naps:
    """Sleeps that are only noted."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def patience(naps: Naps) -> Patience:
    return Patience(attempts=4, sleep=naps)


@pytest.fixture
async def http(publisher: Publisher) -> AsyncIterator[httpx.AsyncClient]:
    allowed = Hosts.of("", publisher.host)
    async with client(allowed, base_url=f"{publisher.url}/statistics") as found:
        yield found


@pytest.fixture
def statistics(http: httpx.AsyncClient, patience: Patience, naps: Naps) -> Statistics:
    return Statistics(http, patience=patience, bucket=Bucket(rate=1000, burst=1000, sleep=naps))


async def test_lists_are_read_to_their_last_page(statistics: Statistics, publisher: Publisher) -> None:
    found = await statistics.publications()
    assert (len(found), len({each.title for each in found})) == (50, 50)
    assert len(publisher.asked) == 3
    assert found[0].id == PUBLICATION
    assert [each.title for each in await statistics.publications("England 49")] == [
        "Pupil absence in schools in England 49"
    ]
    assert await statistics.publications("nothing of the kind") == []


async def test_a_data_set_its_metadata_and_its_versions(statistics: Statistics, publisher: Publisher) -> None:
    publisher.versions = ["1.0", "1.1", "1.10"]
    (one,) = await statistics.data_sets(PUBLICATION)
    assert (one.id, one.latest_version.version) == (DATA_SET, "1.10")
    assert await statistics.data_set(DATA_SET) == one
    known = await statistics.metadata(DATA_SET)
    assert known.plain().filters["school_type"].options == {"Total", "State-funded primary"}
    assert known.plain().indicators["sess_authorised"].decimals == 0
    assert [each.label for each in known.locations[1].options] == ["North East", "North West"]
    versions = await statistics.versions(DATA_SET)
    assert latest(each.version for each in versions) == Version(1, 10)
    assert (await statistics.version(DATA_SET, Version(1, 1))).number == Version(1, 1)


@pytest.mark.parametrize(("version", "kind"), [("2.0", Bump.MAJOR), ("1.1", Bump.MINOR), ("1.1.1", Bump.PATCH)])
async def test_changes_tell_the_weight_of_a_version(statistics: Statistics, version: str, kind: Bump) -> None:
    found = await statistics.changes(DATA_SET, Version(*map(int, version.split("."))), patches=True)
    assert (found.version_number, found.bump) == (version, kind)
    assert found.renamed() == ({} if kind is Bump.PATCH else {"enrolments": "number_of_enrolments"})
    told = [each.words for _part, each in found.major_changes.each()]
    assert told == (
        ["Percentage of authorised sessions is gone", "State-funded primary is gone"] if kind is Bump.MAJOR else []
    )


async def test_a_query_gives_the_rows_of_all_pages(statistics: Statistics, publisher: Publisher) -> None:
    asked = example("api-tests-absence-query1")["query"]
    found = await statistics.query(DATA_SET, asked)
    assert (len(found.results), found.warnings) == (150, [])
    assert found.results[0].values == {"04nTr": "1708016"}
    assert found.results[0].locations == {"NAT": "2FmYX", "REG": "e0768"}
    assert [method for method, _path, _headers in publisher.asked] == ["POST", "POST"]
    simple = await statistics.simple_query(DATA_SET, {"indicators": "04nTr"}, Version(1, 0))
    assert len(simple.results) == 150


async def test_what_the_api_remarks_and_refuses_is_told_in_its_words(statistics: Statistics) -> None:
    strange = {"criteria": {"filters": {"in": ["invalid-filter-1", "invalid-filter-2"]}}, "indicators": ["04nTr"]}
    found = await statistics.query(DATA_SET, strange)
    assert found.results == []
    assert found.warnings == [
        "The query did not match any results. You may need to refine your criteria.",
        "criteria.filters.in: One or more filters could not be found. (invalid-filter-1, invalid-filter-2)",
    ]
    with pytest.raises(api.StatisticsRefused) as refused:
        await statistics.query(DATA_SET, {"criteria": {"filters": {"eq": ["filter-1"]}}, "indicators": []})
    assert refused.value.detail.startswith("criteria.filters.eq: Must be a valid value.")
    assert refused.value.extensions["errors"][0]["code"] == "InvalidValue"
    with pytest.raises(api.StatisticsNotFound, match="Not Found"):
        await statistics.data_set("0000")
    with pytest.raises(api.StatisticsForbidden, match="withdrawn"):
        await statistics.data_set("withdrawn")


async def test_what_passes_is_tried_again_after_growing_pauses(
    statistics: Statistics, publisher: Publisher, naps: Naps
) -> None:
    publisher.moods = [(429, {"Retry-After": "7"}), (503, {}), (500, {})]
    assert (await statistics.data_set(DATA_SET)).id == DATA_SET
    assert naps.taken[0] == 7.0
    assert 0.5 <= naps.taken[1] <= 1.0 <= naps.taken[2] <= 2.0


async def test_what_does_not_pass_ends_with_the_last_error(
    statistics: Statistics, publisher: Publisher, naps: Naps
) -> None:
    publisher.moods = [(503, {})] * 4
    with pytest.raises(Busy, match="503"):
        await statistics.data_set(DATA_SET)
    assert len(naps.taken) == 3
    publisher.moods = [(429, {"Retry-After": "500"})]
    with pytest.raises(Busy) as waiting:
        await statistics.data_set(DATA_SET)
    assert (waiting.value.retry_after, len(naps.taken)) == (500.0, 3)
    publisher.moods = [(418, {})]
    with pytest.raises(NotServed):
        await statistics.data_set(DATA_SET)
    assert len(naps.taken) == 3


async def test_an_answer_that_is_not_as_described_is_not_believed(
    statistics: Statistics, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.metadata = {"filters": [{"id": 5}]}
    with pytest.raises(api.NotUnderstood, match=r"filters\.0"):
        await statistics.metadata(DATA_SET)
    monkeypatch.setattr(api, "MAX_ANSWER", 10)
    with pytest.raises(TooLarge):
        await statistics.data_set(DATA_SET)


async def test_a_server_that_is_too_slow_or_gone_is_an_error_of_its_own(
    publisher: Publisher, patience: Patience, naps: Naps
) -> None:
    publisher.slow = 0.3
    async with client(Hosts.of("", publisher.host), base_url=publisher.url) as http:
        http.timeout = httpx.Timeout(5.0, read=0.05)
        with pytest.raises(TimedOut):
            await download(http, FILE, patience=patience)
    assert len(naps.taken) == 3
    async with client(Hosts.of("", "localhost:9")) as http:
        with pytest.raises(Unreachable, match="localhost"):
            await download(http, "https://localhost:9/x", patience=Patience(attempts=1))


async def test_a_download_tells_how_far_it_is(http: httpx.AsyncClient, publisher: Publisher) -> None:
    told: list[tuple[int, int | None]] = []
    found = await download(http, publisher.url + FILE, told=lambda came, of: told.append((came, of)))
    assert (found.content, found.etag) == (CONTENT, '"v1"')
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert all(one[0] < other[0] for one, other in pairwise(told))
    assert publisher.asked[0][2]["accept-encoding"] == "identity"


@pytest.mark.parametrize("sized", [True, False])
async def test_a_download_that_breaks_off_goes_on_from_there(
    http: httpx.AsyncClient, publisher: Publisher, patience: Patience, sized: bool
) -> None:
    publisher.cuts, publisher.sized = [300_000, 400_000], sized
    found = await download(http, publisher.url + FILE, patience=patience)
    assert found.content == CONTENT
    asked = [headers.get("range") for _method, _path, headers in publisher.asked]
    assert asked[0] is None
    assert len(asked) == 3
    starts = [int(each.removeprefix("bytes=").removesuffix("-")) for each in asked[1:]]
    assert 0 < starts[0] < starts[1] < len(CONTENT)
    assert publisher.asked[1][2]["if-range"] == '"v1"'


async def test_a_range_that_is_shorter_than_was_asked_for_is_not_the_rest(
    http: httpx.AsyncClient, publisher: Publisher, patience: Patience
) -> None:
    publisher.cuts, publisher.most = [300_000], 400_000
    assert (await download(http, publisher.url + FILE, patience=patience)).content == CONTENT
    publisher.cuts, publisher.most = [300_000], 10_000
    with pytest.raises(Unreachable, match=f"of {len(CONTENT)} bytes of the file came"):
        await download(http, publisher.url + FILE, patience=patience)


async def test_a_server_without_ranges_sends_it_all_again(
    http: httpx.AsyncClient, publisher: Publisher, patience: Patience
) -> None:
    publisher.cuts, publisher.ranges = [300_000], False
    assert (await download(http, publisher.url + FILE, patience=patience)).content == CONTENT


async def test_a_file_that_changed_in_between_is_not_mixed_with_the_old_one(
    http: httpx.AsyncClient, publisher: Publisher
) -> None:
    publisher.cuts = [300_000]

    async def republish(_seconds: float) -> None:
        publisher.files[FILE], publisher.tag = b"new" * 1000, '"v2"'

    found = await download(http, publisher.url + FILE, patience=Patience(attempts=2, sleep=republish))
    assert (found.content, found.etag) == (b"new" * 1000, '"v2"')


async def test_what_has_not_changed_is_not_downloaded(
    http: httpx.AsyncClient, publisher: Publisher, statistics: Statistics
) -> None:
    assert await download(http, publisher.url + FILE, known='"v1"') is None
    publisher.csv = b"a,b\n1,2\n"
    assert (await statistics.csv(DATA_SET)).content == publisher.csv
    assert await statistics.csv(DATA_SET, Version(1, 0), known='"v1"') is None


async def test_what_is_too_large_is_given_up(http: httpx.AsyncClient, publisher: Publisher) -> None:
    for sized in (True, False):
        publisher.sized = sized
        with pytest.raises(TooLarge):
            await download(http, publisher.url + FILE, most=1_000_000)


async def test_a_download_has_an_end(
    http: httpx.AsyncClient, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.slow = 0.5
    monkeypatch.setattr(downloads, "MAX_SECONDS", 0.05)
    with pytest.raises(TimedOut, match="seconds"):
        await download(http, publisher.url + FILE)


async def test_redirects_are_followed_on_listed_hosts_only(
    http: httpx.AsyncClient, publisher: Publisher, naps: Naps
) -> None:
    publisher.redirects = {
        "/old": FILE,
        "/round": "/round",
        "/off": "https://example.com/x",
        "/plain": "http://localhost/",
    }
    assert (await download(http, f"{publisher.url}/old")).content == CONTENT
    with pytest.raises(NotServed, match="more than 3"):
        await download(http, f"{publisher.url}/round")
    for path in ("/off", "/plain"):
        with pytest.raises(AddressForbidden):
            await download(http, publisher.url + path)
    assert naps.taken == []


async def test_a_public_name_with_a_private_address_is_not_reached(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(Hosts.of(publisher.host)) as http:
        with pytest.raises(AddressForbidden, match="private"):
            await download(http, publisher.url + FILE)
    assert publisher.asked == []

    async def mixed(_host: str, _port: int) -> list[str]:
        return ["93.184.215.14", "10.0.0.1"]

    monkeypatch.setattr(hosts, "addresses_of", mixed)
    async with client(Hosts.of("example.org")) as http:
        with pytest.raises(AddressForbidden):
            await download(http, "https://example.org/x")


async def test_the_certificate_must_be_the_hosts(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with client(Hosts.of("", publisher.host)) as http:
        with pytest.raises(Unreachable):
            await download(http, publisher.url + FILE, patience=Patience(attempts=1))


@pytest.mark.parametrize(
    "address",
    [
        "http://assets.publishing.service.gov.uk/x",
        "https://example.com/",
        "https://user:secret@assets.publishing.service.gov.uk/x",
        "https://assets.publishing.service.gov.uk:8443/x",
        "https://assets.publishing.service.gov.uk.example.com/x",
        "https://127.0.0.1/x",
        "file:///etc/passwd",
        "//assets.publishing.service.gov.uk/x",
        "https://",
        "x" * 3000,
        "https://[::1",
    ],
)
def test_addresses_that_are_not_listed_are_refused(address: str) -> None:
    with pytest.raises(UrlNotAllowed):
        Hosts.of("assets.publishing.service.gov.uk").check(address)


def test_listed_hosts_are_taken_in_any_spelling() -> None:
    listed = Hosts.of(" Assets.publishing.service.gov.uk , api.education.gov.uk", "files.inside:8443")
    for address in (
        "https://ASSETS.publishing.service.gov.uk/x",
        "https://api.education.gov.uk:443/y",
        "https://files.inside:8443/z",
    ):
        assert str(listed.check(address)).startswith("https://")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5", 5.0), ("99999", 600.0), ("", None), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("-1", None)],
)
def test_how_long_one_is_asked_to_wait(said: str, seconds: float | None) -> None:
    assert wait_asked({"retry-after": said}) == seconds


async def test_no_more_requests_than_the_bucket_gives(naps: Naps) -> None:
    now = [0.0]
    bucket = Bucket(rate=2.0, burst=3.0, sleep=naps, clock=lambda: now[0])
    for _ in range(5):
        await bucket.take()
    assert naps.taken == [0.5, 1.0]
    now[0] = 100.0
    for _ in range(3):
        await bucket.take()
    assert naps.taken == [0.5, 1.0]


async def test_errors_that_do_not_pass_are_not_waited_for(naps: Naps) -> None:
    async def work() -> Any:
        raise FetchFailed("never")

    with pytest.raises(FetchFailed):
        await Patience(sleep=naps).of(work)
    assert naps.taken == []


async def test_a_data_set_becomes_one_archive_always_the_same(statistics: Statistics, publisher: Publisher) -> None:
    known = await statistics.metadata(DATA_SET)
    made = archive("absence", b"a,b\n", known)
    assert made == archive("absence", b"a,b\n", known)
    found = pair(made)
    assert found.data == b"a,b\n"
    plain = described(found.metadata)
    assert plain.indicators == known.plain().indicators
    assert plain.filters.keys() == known.plain().filters.keys()
