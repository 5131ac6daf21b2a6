"""What the feeds of yearly tables share: columns of measures into observations, with reasons for what is missing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import chain
from typing import Any

from services.outcomes.feeds.columns import URNS, Columns, chosen, converted, rejected, repeated
from services.outcomes.feeds.reading import SHOWN, TWICE, RowRejected, urn_of
from services.outcomes.feeds.records import FeedRefused, ObservationRecord, Parsed
from services.outcomes.rules.columnar import Once, Records
from services.outcomes.rules.measures import MEASURES, Measure
from services.outcomes.rules.values import Value, ValueState, parse_value


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure's column, and the column with the pupils that it speaks of, where there is one.

    `covered` is the column that says how many percent of these pupils the measure covers.
    """

    measure: str
    column: str
    pupils: str | None = None
    covered: str | None = None


BACK = ("", "_1", "_2")
"""Suffixes of fields: of the declared year, the year before it and the one before that."""


WIDE, NATION = 100, 1000
"""Columns, and rows of schools, from which a table is the one that was published, and no extract of it."""


def whole_table(table: Columns, schools: int, *, england: bool) -> None:
    """Raise FeedRefused when a table lacks the rows of England that stand last in every one as it is published.

    A download that breaks off at the end of a line shows it by nothing else.
    """
    if not england and (len(table.names) >= WIDE or schools >= NATION):
        raise FeedRefused(
            "truncated",
            f"The table has {schools} rows of schools and none of England, which stands last in it as published: only a"
            " part of the file came? A part that is meant keeps the rows of England.",
        )


def by_year(table: Columns, year: int, figures: Sequence[Figure]) -> dict[int, list[Figure]]:
    """The academic years that a file has columns for, counted back from the declared one, with their figures."""
    found = {}
    for back, suffix in enumerate(BACK):
        dated = [
            replace(each, column=each.column + suffix, pupils=each.pupils and each.pupils + suffix) for each in figures
        ]
        present = [each for each in dated if each.column in table]
        if present:
            found[year - back] = present
    return found


def observations(
    table: Columns, figures: Mapping[int, Sequence[Figure]], schools: Sequence[int] | None = None
) -> Parsed[ObservationRecord]:
    """The observations of a table by academic year, measure by measure; `schools` are the places of its schools' rows.

    A row without a URN, or with one that has come before, is rejected whole, so that no school is mixed of two rows;
    of the others only the cells that cannot be read.
    """
    rows = len(table.numbers)
    called = table.layout.columns
    table = table.only(range(rows) if schools is None else schools)
    urns, bad = converted(table.cells["urn"], partial(urn_of, name=called["urn"]), URNS)
    for place in repeated(urns, out=bad):
        bad[place] = TWICE
    if bad:
        kept = [place for place in range(len(urns)) if place not in bad]
        found = [(place, rejected(table.numbers[place], table.cells["urn"][place], bad[place])) for place in bad]
        rejections = {table.numbers[place]: [each] for place, each in found}
        ignored = rows - len(urns)
        table, urns = table.only(kept), [urns[place] for place in kept]
    else:
        rejections, ignored = {}, rows - len(urns)
    told = []
    for year, wanted in figures.items():
        for figure in wanted:
            values, wrong = converted(
                table.cells[figure.column], figure_of(called[figure.column], MEASURES[figure.measure])
            )
            for place, error in wrong.items():
                number = table.numbers[place]
                rejections.setdefault(number, []).append(rejected(number, table.cells["urn"][place], error))
            told.append(of_figure(table, urns, figure, year, values, wrong))
    records = Records[ObservationRecord](ObservationRecord, [list(chain(*each)) for each in zip(*told, strict=True)])
    listed = chain.from_iterable(rejections[number] for number in sorted(rejections))
    return Parsed(table.layout.name, rows, ignored, records, tuple(listed))


def of_figure(
    table: Columns,
    urns: Sequence[int],
    figure: Figure,
    year: int,
    values: Sequence[Value],
    wrong: Collection[int],
) -> list[Sequence[Any]]:
    """One measure of all schools, as the columns of ObservationRecord."""
    pupils: Sequence[int | None] = [None] * len(urns)
    if figure.pupils and figure.pupils in table:
        pupils = converted(table.cells[figure.pupils], whole)[0]
        if figure.covered and figure.covered in table:
            covered = zip(pupils, converted(table.cells[figure.covered], share)[0], strict=True)
            pupils = list(map(Once(lambda each: of_them(*each)).__getitem__, covered))
    if wrong:
        kept = chosen([place for place in range(len(urns)) if place not in wrong])
        urns, values, pupils = kept(urns), kept(values), kept(pupils)
    return [
        urns,
        [figure.measure] * len(urns),
        [year] * len(urns),
        [each.state for each in values],
        [each.number for each in values],
        [each.raw for each in values],
        pupils,
    ]


def figure_of(column: str, measure: Measure | None = None) -> Callable[[str], Value]:
    """How the cells of a column are read; raises RowRejected for what is neither a number nor a known code.

    So it does for a number that the measure cannot have.
    """

    def read(text: str) -> Value:
        value = parse_value(text)
        shown = f"{column}: {text[:SHOWN]!r}"
        if value.state is ValueState.UNREADABLE:
            raise RowRejected("unreadable_value", f"{shown} is neither a number nor a known code.")
        if measure and value.number is not None and not measure.can_be(value.number):
            low, high = measure.bounds
            raise RowRejected("impossible_value", f"{shown} cannot be: {measure.title} is from {low} to {high}.")
        return value

    return read


def whole(text: str) -> int | None:
    """A number of pupils; None for what is none."""
    number = parse_value(text).number
    return int(number) if number is not None and number == int(number) and number >= 0 else None


def share(text: str) -> Decimal | None:
    """A percentage; None for what is none."""
    number = parse_value(text).number
    return number if number is not None and 0 <= number <= 100 else None


def of_them(pupils: int | None, percent: Decimal | None) -> int | None:
    """So many percent of these pupils, and all of them where it is not said; half pupils are rounded up."""
    if pupils is None or percent is None:
        return pupils
    return int((pupils * percent / 100).to_integral_value(ROUND_HALF_UP))


def given(year: int | None) -> int:
    """The academic year that was declared with the file; the caller has made sure that there is one."""
    if year is None:
        raise ValueError("this feed needs an academic year")
    return year
