"""What the feeds of performance tables share: a row of measures into observations, with reasons for what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.outcomes.feeds.reading import SHOWN, Cells, RowRejected
from services.outcomes.feeds.records import ObservationRecord
from services.outcomes.rules.values import ValueState, parse_value


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure's column, and the column with the pupils that it speaks of, where there is one."""

    measure: str
    column: str
    pupils: str | None = None


def one_each(record: ObservationRecord) -> tuple[int, str, int]:
    """What there may be one of: a school's measure in a year."""
    return (record.urn, record.measure, record.academic_year)


def observed(cell: Cells, urn: int, figures: Mapping[int, Iterable[Figure]]) -> list[ObservationRecord | RowRejected]:
    """The observations of a school by academic year; a cell that cannot be read is rejected, the others are kept."""
    found: list[ObservationRecord | RowRejected] = []
    for year, wanted in figures.items():
        for figure in wanted:
            value = parse_value(cell(figure.column))
            if value.state is ValueState.UNREADABLE:
                words = f"{figure.column}: {value.raw[:SHOWN]!r} is neither a number nor a known code."
                found.append(RowRejected("unreadable_value", words))
                continue
            pupils = parse_value(cell(figure.pupils)).number if figure.pupils else None
            whole = int(pupils) if pupils is not None and pupils == int(pupils) and pupils >= 0 else None
            number, state = value.number, value.state
            found.append(ObservationRecord(urn, figure.measure, year, state, number, value.raw, whole))
    return found


def given(year: int | None) -> int:
    """The academic year that was declared with the file; the caller has made sure that there is one."""
    if year is None:
        raise ValueError("this feed needs an academic year")
    return year
