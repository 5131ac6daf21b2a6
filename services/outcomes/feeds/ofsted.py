"""Ofsted's management information: the latest inspections of every school, a block of columns for each (monthly)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.outcomes.feeds.columns import recognised
from services.outcomes.feeds.ofsted_blocks import BLOCKS, LAYOUTS, Block
from services.outcomes.feeds.opening import normalised
from services.outcomes.feeds.reading import SHOWN, URN, Cells, RowRejected, day_of, read, sheet, urn_of
from services.outcomes.feeds.records import Parsed
from services.outcomes.rules.grades import GRADES, Area, Grade
from services.outcomes.rules.inspection import Concern, Inspection, Safeguarding, framework_on

MISSING = ("", "null")
CONCERNS = {
    "sm": Concern.SPECIAL_MEASURES,
    "special_measures": Concern.SPECIAL_MEASURES,
    "swk": Concern.SERIOUS_WEAKNESS,
    "serious_weaknesses": Concern.SERIOUS_WEAKNESS,
    "nti": Concern.REQ_SIGNIFICANT_IMPROVEMENT,
    "rsi": Concern.REQ_SIGNIFICANT_IMPROVEMENT,
    "requires_significant_improvement": Concern.REQ_SIGNIFICANT_IMPROVEMENT,
}
"""A notice to improve, until 2012, was for a school that `requires significant improvement`, as the law now says."""
SAFEGUARDING = {
    "yes": Safeguarding.EFFECTIVE,
    "no": Safeguarding.NOT_EFFECTIVE,
    "met": Safeguarding.MET,
    "not_met": Safeguarding.NOT_MET,
    "9": Safeguarding.NOT_RECORDED,
}


def looked_up(cell: Cells, name: str, known: Mapping[str, Any], otherwise: Any) -> Any:
    """What a cell stands for; `otherwise` where it is blank. Raises RowRejected for a code that is not known."""
    text = normalised(cell(name))
    if text in MISSING:
        return otherwise
    if text not in known:
        raise RowRejected("unknown_code", f"{name}: {cell(name)[:SHOWN]!r} is not known.")
    return known[text]


def given(cell: Cells, name: str) -> str | None:
    """The text of a cell; None where it is blank or NULL."""
    return cell(name) if normalised(cell(name)) not in MISSING else None


def judgements(cell: Cells, block: Block) -> tuple[tuple[Area, Grade], ...]:
    """The grades of a block; a cell that is blank or NULL is no judgement of any kind."""
    codes = {code: Grade(block.scale, code) for code in GRADES[block.scale]}
    found = ((area, looked_up(cell, f"{block.name}.{area}", codes, None)) for area in block.areas)
    return tuple((area, grade) for area, grade in found if grade is not None)


def inspection(cell: Cells, block: Block) -> Inspection | None:
    """The inspection of a block; None for an empty one, and for a visit that became the full inspection beside it."""
    known = {normalised(cell(f"{block.name}.{field}")) for field in ("number", "started")}
    if known <= set(MISSING) or normalised(cell(f"{block.name}.converted")) == "yes":
        return None
    started = day_of(given(cell, f"{block.name}.started") or "", f"{block.name}.started")
    if started is None:
        raise RowRejected("missing_value", f"{block.name}.started: the day of the inspection is not given.")
    urn = urn_of(cell(f"{block.name}.urn"), f"{block.name}.urn")
    listed = cell("urn")
    return Inspection(
        urn=urn,
        started_on=started,
        listed_under=int(listed) if URN.fullmatch(listed) and int(listed) != urn else None,
        number=given(cell, f"{block.name}.number"),
        kind=given(cell, f"{block.name}.kind"),
        published_on=day_of(given(cell, f"{block.name}.published") or "", f"{block.name}.published"),
        framework=block.framework or framework_on(started),
        concern=looked_up(cell, f"{block.name}.concern", CONCERNS, Concern.NONE) if block.areas else None,
        safeguarding=looked_up(cell, f"{block.name}.safeguarding", SAFEGUARDING, Safeguarding.NOT_RECORDED),
        outcome=given(cell, f"{block.name}.outcome"),
        judgements=judgements(cell, block),
    )


def attempted(cell: Cells, block: Block) -> Inspection | RowRejected | None:
    """The inspection of a block, or why it cannot be used: the row's other ones can be."""
    try:
        return inspection(cell, block)
    except RowRejected as error:
        return error


def another(found: Inspection) -> RowRejected:
    """Why an inspection is left out when the file has one of the same school and day before, in its row or above it.

    An inspection is known by its school and day. In a row the full inspection stands before a visit, and so is kept.
    """
    one = f"Inspection {found.number[:SHOWN]}" if found.number else "An inspection"
    words = f"{one}: the file has another one of {found.urn} on {found.started_on}, which is kept."
    return RowRejected("duplicate", words)


def parse(content: bytes, _academic_year: int | None) -> Parsed[Inspection]:
    """Read the inspections of every block; names of parents, heads and inspectors are in none. Raises FeedRefused."""
    table = sheet(content)
    found = recognised(table.names, LAYOUTS)

    def make(cell: Cells) -> list[Inspection | RowRejected] | None:
        made = [attempted(cell, block) for block in BLOCKS[found.name]]
        return [each for each in made if each is not None] or None

    columns = {field: (column,) for field, column in found.columns.items()}
    parsed = read(
        table, columns, found.required, make=make, unique=lambda each: (each.urn, each.started_on), again=another
    )
    return replace(parsed, layout=found.name)
