"""Metadata files of Explore Education Statistics: which columns are filters, and how exact the figures are."""

from services.outcomes.feeds.opening import normalised, opened
from services.outcomes.feeds.reading import Cells, RowRejected, read, sheet
from services.outcomes.feeds.records import FeedRefused, Parsed
from services.outcomes.rules.ees_versions import Filter, Indicator, Metadata

COLUMNS = {
    **{name: (name,) for name in ("col_name", "col_type", "label", "indicator_grouping", "indicator_unit")},
    **{name: (name,) for name in ("indicator_dp", "filter_hint", "filter_grouping_column")},
}
REQUIRED = ("col_name", "col_type", "label")
MOST_DECIMALS = 12


def column(cell: Cells) -> list[Indicator | Filter | RowRejected]:
    """One column of the data file."""
    name, kind = normalised(cell("col_name")), cell("col_type").lower()
    if not name or kind not in {"indicator", "filter"}:
        raise RowRejected("unknown_code", f"col_type: {cell('col_type')[:60]!r} is neither Filter nor Indicator.")
    if kind == "filter":
        return [Filter(name, cell("label"))]
    places = cell("indicator_dp")
    if places and (not places.isdecimal() or int(places) > MOST_DECIMALS):
        raise RowRejected("unknown_code", f"indicator_dp: {places[:60]!r} is no number of decimal places.")
    return [Indicator(name, cell("label"), cell("indicator_unit"), int(places) if places else None)]


def metadata(content: bytes) -> Metadata:
    """What a metadata file says; raises FeedRefused for one that cannot be relied on in every row."""
    try:
        parsed: Parsed[Indicator | Filter] = read(
            sheet(content), COLUMNS, REQUIRED, make=column, unique=lambda each: each.column
        )
    except FeedRefused as refusal:
        raise FeedRefused(refusal.code, f"The metadata file: {refusal.detail}", refusal.missing) from refusal
    if parsed.rejections:
        first = parsed.rejections[0]
        raise FeedRefused("unreadable", f"The metadata file, row {first.row}: {first.detail}")
    found = parsed.records
    return Metadata(
        {each.column: each for each in found if isinstance(each, Indicator)},
        {each.column: each for each in found if isinstance(each, Filter)},
    )


def with_options(content: bytes, known: Metadata) -> Metadata:
    """The metadata with the options that the rows of its data file have; raises FeedRefused."""
    table = opened(content)
    rows = list(table.rows())
    places = {name: place for place, name in enumerate(table.names) if name in known.filters}
    missing = tuple(name for name in known.filters if name not in places)
    if missing:
        raise FeedRefused("unknown_layout", "The data file lacks filters that its metadata names.", missing)
    filters = {
        name: Filter(name, known.filters[name].label, frozenset(row[place] for row in rows if place < len(row)))
        for name, place in places.items()
    }
    return Metadata(known.indicators, filters)
