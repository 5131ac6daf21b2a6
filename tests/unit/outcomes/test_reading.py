"""A file that is read beside the one before says what it says when it is read whole."""

from dataclasses import replace
from uuid import uuid4

import pytest

from services.outcomes.feeds import FEEDS
from services.outcomes.releases.reading import Base, Read, read
from tests.unit.outcomes.daily import HEADER, NAME, line

FEED = FEEDS["gias_establishments"]
BAD, CENTRE = line(100009, opened="soon"), line(20001)
FIRST = HEADER + b"".join(line(100000 + at) for at in range(6)) + BAD + CENTRE
SECOND = line(100001)
ANOTHER = {
    "the same": FIRST,
    "nothing but the header": HEADER,
    "a name, a school more, one less, and a bad row more": HEADER
    + line(100000, "Other")
    + FIRST.removeprefix(HEADER + line(100000) + SECOND)
    + line(100007)
    + line(100008, opened="later"),
    "another order": HEADER + line(100004) + line(100002) + BAD + line(100000),
    "a row that is there twice": FIRST + SECOND,
    "a school that is there twice": FIRST + line(100001, "Other"),
    "the second of two first": HEADER + line(100001, "Other") + FIRST.removeprefix(HEADER),
    "a line end in a cell": FIRST + line(100007, "A\r\nB"),
    "a line end in a cell that is not quoted from its beginning": FIRST.replace(
        SECOND, SECOND.replace(b',"Lon', b',a"L')
    ),
    "a cell that takes in a known row": FIRST.replace(line(100002), line(100002).replace(b'17",', b"17,")),
    "a cell that never ends": FIRST + line(100007).replace(b'17",', b"17,"),
    "a last line without an end": FIRST + line(100007).rstrip(),
    "an empty line": FIRST + b"\r\n" + line(100007),
    "line ends of another system": FIRST.replace(b"\r\n", b"\r"),
    "another encoding": FIRST.decode("cp1252").encode(),
    "another encoding of what is new": FIRST + line(100007).decode("cp1252").encode(),
    "a name that fits two encodings": FIRST + line(100007, "Ã©"),
    "columns in another order": FIRST.replace(b'"town"', b'"postcode"', 1),
    "an unknown encoding": FIRST + line(100007).replace(b"Camden", b"Cam\x81en"),
}


def beside(content: bytes, before: Read) -> Read:
    """A file read beside one before."""
    known = before.known()
    assert known is not None
    return read(FEED, None, content, Base(uuid4(), known))


def told(found: Read) -> tuple[object, ...]:
    """All that is the same, however a file was read."""
    known = found.known()
    lines = known and (known.layout, known.reading, sorted(each.tobytes() for each in known.entries))
    said = replace(found.parsed, records=(), numbers=())
    return found.values_hash, dict(found.parts), said, lines


def outcome(content: bytes, before: Read | None) -> object:
    """What becomes of a file."""
    try:
        return told(beside(content, before) if before else read(FEED, None, content))
    except Exception as error:
        return repr(error), vars(error)


@pytest.mark.parametrize("content", ANOTHER.values(), ids=ANOTHER)
def test_a_file_beside_another_says_what_it_says_whole(content: bytes) -> None:
    before = read(FEED, None, FIRST)
    assert outcome(content, before) == outcome(content, None)


def test_only_lines_that_differ_are_read() -> None:
    before = read(FEED, None, FIRST)
    found = beside(ANOTHER["a name, a school more, one less, and a bad row more"], before)
    assert [(each.urn, each.name) for each in found.parsed.records] == [(100000, "Other"), (100007, NAME)]
    assert sorted(found.again) == [100002, 100003, 100004, 100005]
    assert [(each.row, each.key) for each in found.parsed.rejections] == [(6, "100009"), (9, "100008")]
    third = beside(FIRST, found)
    assert [each.urn for each in third.parsed.records] == [100000, 100001]
    assert told(third) == told(before)


def test_a_file_without_rows_is_refused_beside_another_too() -> None:
    before = read(FEED, None, HEADER + line(100000, "Plain"))
    assert outcome(HEADER, before) == outcome(HEADER, None)


def test_what_the_code_does_not_know_is_read_whole() -> None:
    before = read(FEED, None, FIRST)
    known = before.known()
    assert known is not None
    older = Base(uuid4(), replace(known, reading="0" * 64))
    assert len(read(FEED, None, FIRST, older).parsed.records) == 6
