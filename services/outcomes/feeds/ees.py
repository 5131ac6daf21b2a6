"""Explore Education Statistics (EES): figures of schools out of data files, with the metadata or without."""

import re
from collections.abc import Container, Iterable, Sequence
from itertools import chain

from services.outcomes.feeds.columns import Columns, Layout, columns, gathered, rejected
from services.outcomes.feeds.ees_data_sets import ABSENCE, KS2, KS4, DataSet, Group
from services.outcomes.feeds.ees_metadata import metadata
from services.outcomes.feeds.observations import observations
from services.outcomes.feeds.opening import opened, unpacked
from services.outcomes.feeds.pairs import pair
from services.outcomes.feeds.reading import URN, RowRejected
from services.outcomes.feeds.records import FeedRefused, ObservationRecord, Parsed, Rejection
from services.outcomes.rules.ees_versions import Metadata
from services.outcomes.rules.values import ValueState, parse_value

PERIOD = re.compile(r"[0-9]{4}(?:[0-9]{2})?", re.ASCII)
ACADEMIC_YEAR = "academicyear"
TOTAL = {"total", ""}
"""The option that stands for all pupils; a filter that does not apply to a row is left empty."""
MOST_DECIMALS = 6
UNCLEAR = RowRejected("ambiguous", "school_urn: the file has other figures of this school and group in another row.")
AT_ONCE = 8
"""Columns that are looked at together, of many."""
NAMED = 20
"""So many unknown columns are named."""
ENOUGH = 50
"""Values from which the places after the point that a file shows are all that it has."""


def academic_year(period: str, identifier: str) -> int | None:
    """The academic year of a row; None where it speaks of another period (a term, a calendar year, a week).

    Raises RowRejected for a time period that is none.
    """
    text = period.strip()
    if not PERIOD.fullmatch(text):
        raise RowRejected("bad_year", f"time_period: {text[:20]!r} has neither four digits nor six.")
    if "".join(identifier.split()).lower() != ACADEMIC_YEAR:
        return None
    if len(text) == 4 or (int(text[:4]) + 1) % 100 != int(text[4:]):
        raise RowRejected("bad_year", f"time_period: {text!r} is not an academic year such as 202324.")
    return int(text[:4])


def parse(content: bytes, data_set: DataSet) -> Parsed[ObservationRecord]:
    """Read the schools' rows of a data file, alone or in an archive with its metadata; raises FeedRefused."""
    found = pair(content)
    known = metadata(found.metadata) if found.metadata is not None else None
    data = unpacked(found.data)
    table = columns(data, data_set.layouts)
    if known is not None:
        fits(known, table, data_set)
    years, rejections = school_rows(table)
    wanted = [(year, *each) for year, places in years.items() for each in grouped(table, places, data_set)]
    described = data_set.declared(table.layout).union(known.indicators if known else ())
    undescribed(data, table.names, described, list(chain.from_iterable(of_group for *_, of_group in wanted)))
    parts = []
    for year, group, of_group in wanted:
        figures = [each for each in group.figures if each.column in table]
        unclear = contradicting(table, of_group, [each.column for each in figures])
        rejections += [rejected(table.numbers[place], table.cells["urn"][place], UNCLEAR) for place in unclear]
        if kept := [place for place in of_group if place not in unclear]:
            parts.append(observations(table.only(kept), {year: figures}))
    rows = len(table.numbers)
    taken = sum(part.rows for part in parts) + len(rejections)
    if not taken:
        raise FeedRefused("no_school_rows", "The file has no row of a school for a whole academic year.")
    records = tuple(chain.from_iterable(part.records for part in parts))
    left_out = sorted(chain(rejections, *(part.rejections for part in parts)), key=lambda each: each.row)
    exact = decimals(records, table.layout, data_set.groups, known)
    return Parsed(table.layout.name, rows, rows - taken, records, tuple(left_out), exact)


def fits(known: Metadata, table: Columns, data_set: DataSet) -> None:
    """Raise FeedRefused when the metadata and the data do not belong together, or tell rows apart by what is not known.

    Figures of a part of the pupils must never pass for figures of all.
    """
    missing = tuple(sorted(name for name in {*known.indicators, *known.filters} if name not in table.names))
    if missing:
        raise FeedRefused("unknown_layout", "The data file lacks columns that its metadata describes.", missing)
    strange = sorted(name for name in known.filters if name not in data_set.declared(table.layout))
    if strange:
        raise FeedRefused("unknown_layout", f"The file has filters that this feed does not know: {', '.join(strange)}.")


def undescribed(data: bytes, names: Sequence[str], described: Container[str], places: Sequence[int]) -> None:
    """Raise FeedRefused when columns of which nothing is known tell these rows apart by words other than the total.

    A column that holds nothing but figures, and reasons for missing ones, is an indicator that is not read.
    """
    unknown = [(name, place) for place, name in enumerate(names) if name not in described]
    strange = []
    for start in range(0, len(unknown), AT_ONCE):
        _numbers, cells = gathered(opened(data), dict(unknown[start : start + AT_ONCE]))
        for name, column in cells.items():
            if any(map(worded, {column[place] for place in places})):
                strange.append(name or "(without a name)")
    if strange:
        named = ", ".join(strange[:NAMED]) + (f" and {len(strange) - NAMED} more" if len(strange) > NAMED else "")
        raise FeedRefused(
            "unknown_layout",
            f"Rows may be told apart by columns that this feed does not know: {named}. Where these are no filters, send"
            " the data file in one archive with its metadata that describes them, or without them.",
        )


def worded(cell: str) -> bool:
    """Whether a cell is words that are not the total, and no code."""
    return cell.strip().lower() not in TOTAL and parse_value(cell).state is ValueState.UNREADABLE


def contradicting(table: Columns, places: Sequence[int], fields: Sequence[str]) -> set[int]:
    """The places of schools that stand among these more than once with other figures: which are all pupils' is unknown.

    Rows that say the same, and those without a URN, are left to whoever reads them.
    """
    cells = table.cells["urn"]
    if len({cells[place].strip() for place in places}) == len(places):
        return set()
    said: dict[str, set[tuple[str, ...]]] = {}
    for place in places:
        figures = tuple(table.cells[field][place].strip() for field in fields)
        said.setdefault(cells[place].strip(), set()).add(figures)
    unclear = {urn for urn, figures in said.items() if len(figures) > 1 and URN.fullmatch(urn)}
    return {place for place in places if cells[place].strip() in unclear}


def school_rows(table: Columns) -> tuple[dict[int, list[int]], list[Rejection]]:
    """The places of schools' rows by academic year, and those whose time cannot be read."""
    cells = table.cells
    periods: dict[tuple[str, str], int | RowRejected | None] = {}
    for each in set(zip(cells["period"], cells["identifier"], strict=True)):
        try:
            periods[each] = academic_year(*each)
        except RowRejected as error:
            periods[each] = error
    school = {level for level in set(cells["level"]) if level.strip().lower() == "school"}
    years: dict[int, list[int]] = {}
    rejections = []
    for place, (level, *period) in enumerate(zip(cells["level"], cells["period"], cells["identifier"], strict=True)):
        if level in school:
            year = periods[period[0], period[1]]
            if isinstance(year, RowRejected):
                rejections.append(rejected(table.numbers[place], cells["urn"][place], year))
            elif year is not None:
                years.setdefault(year, []).append(place)
    return years, rejections


def grouped(table: Columns, places: Sequence[int], data_set: DataSet) -> list[tuple[Group, list[int]]]:
    """The rows of each group among these."""
    found = []
    for group in data_set.groups:
        options = {name: {option} for name, option in group.options.items()}
        options |= dict.fromkeys(data_set.everybody, TOTAL)
        kept = list(places)
        for name, wanted in options.items():
            if name in table:
                column = table.cells[name]
                right = {cell for cell in set(column) if cell.strip().lower() in wanted}
                kept = [place for place in kept if column[place] in right]
        found.append((group, kept))
    return found


def decimals(
    records: Iterable[ObservationRecord], used: Layout, groups: Iterable[Group], known: Metadata | None
) -> dict[str, int]:
    """The places after the point to which each measure was published: those of the metadata, or more where seen.

    Without metadata, what is seen tells it where there are values enough; elsewhere nothing does.
    """
    seen: dict[str, int] = {}
    counts: dict[str, int] = {}
    for each in records:
        if each.number is not None:
            exponent = each.number.as_tuple().exponent
            places = -exponent if isinstance(exponent, int) else 0
            seen[each.measure] = max(seen.get(each.measure, 0), places)
            counts[each.measure] = counts.get(each.measure, 0) + 1
    columns_of = {figure.measure: used.columns[figure.column] for group in groups for figure in group.figures}
    found = {}
    for measure, places in seen.items():
        described = known.indicators.get(columns_of[measure]) if known else None
        if described is not None and described.decimals is not None:
            found[measure] = min(max(places, described.decimals), MOST_DECIMALS)
        elif counts[measure] >= ENOUGH:
            found[measure] = min(places, MOST_DECIMALS)
    return found


def parse_ks4(content: bytes, _academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read performance at key stage 4 of schools; raises FeedRefused."""
    return parse(content, KS4)


def parse_ks2(content: bytes, _academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read attainment at key stage 2 of schools; raises FeedRefused."""
    return parse(content, KS2)


def parse_absence(content: bytes, _academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read absence of schools over three terms; raises FeedRefused."""
    return parse(content, ABSENCE)
