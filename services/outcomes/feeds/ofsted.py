"""Ofsted's management information: the latest inspections of every school, a block of columns for each (monthly)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.outcomes.feeds.columns import Layout, recognised
from services.outcomes.feeds.opening import normalised
from services.outcomes.feeds.reading import SHOWN, URN, Cells, RowRejected, day_of, read, sheet, urn_of
from services.outcomes.feeds.records import Parsed
from services.outcomes.rules.grades import GRADES, Area, Grade, Scale
from services.outcomes.rules.inspection import Concern, Framework, Inspection, Safeguarding, framework_on

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
OLD_AREAS = {
    Area.OVERALL_EFFECTIVENESS: "overall_effectiveness",
    Area.QUALITY_OF_EDUCATION: "quality_of_education",
    Area.BEHAVIOUR_AND_ATTITUDES: "behaviour_and_attitudes",
    Area.PERSONAL_DEVELOPMENT: "personal_development",
    Area.LEADERSHIP_AND_MANAGEMENT: "effectiveness_of_leadership_and_management",
    Area.EARLY_YEARS_PROVISION: "early_years_provision_where_applicable",
    Area.SIXTH_FORM_PROVISION: "sixth_form_provision_where_applicable",
}
"""In the order of areas, as judgements are always written."""
NEW_AREAS = {
    Area.INCLUSION: "inclusion",
    Area.CURRICULUM_AND_TEACHING: "curriculum_and_teaching",
    Area.ACHIEVEMENT: "achievement",
    Area.ATTENDANCE_AND_BEHAVIOUR: "attendance_and_behaviour",
    Area.PERSONAL_DEVELOPMENT_AND_WELLBEING: "personal_development_and_wellbeing",
    Area.LEADERSHIP_AND_GOVERNANCE: "leadership_and_governance",
    Area.EARLY_YEARS: "early_years_where_applicable",
    Area.POST_16_PROVISION: "post_16_provision_where_applicable",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Where a layout writes one inspection: for each field the name of its column, and the scale of its grades."""

    name: str
    scale: Scale
    columns: Mapping[str, str]
    areas: Mapping[Area, str]
    framework: Framework | None = None

    def fields(self) -> dict[str, str]:
        """Every column of the block, by a name that no other block has."""
        named = {**self.columns, **{area.value: column for area, column in self.areas.items()}}
        return {f"{self.name}.{field}": column for field, column in named.items()}


def under(prefix: str, areas: Mapping[Area, str]) -> dict[Area, str]:
    """Columns whose names begin with what the block is called."""
    return {area: f"{prefix}_{column}" for area, column in areas.items()}


REPORT_CARD = Block(
    "report_card",
    Scale.NEW5,
    {
        "number": "inspection_number_of_latest_full_inspection",
        "kind": "inspection_type",
        "started": "inspection_start_date",
        "published": "publication_date",
        "urn": "urn_at_time_of_latest_full_inspection",
        "concern": "category_of_concern",
        "safeguarding": "safeguarding_standards",
    },
    NEW_AREAS,
    Framework.REPORT_CARD_2025,
)
GRADED = Block(
    "graded",
    Scale.OLD4,
    {
        "number": "inspection_number_of_latest_oeif_graded_inspection",
        "kind": "inspection_type_of_latest_oeif_graded_inspection",
        "started": "inspection_start_date_of_latest_oeif_graded_inspection",
        "published": "publication_date_of_latest_oeif_graded_inspection",
        "urn": "urn_at_time_of_latest_oeif_graded_inspection",
        "concern": "latest_oeif_category_of_concern",
        "safeguarding": "latest_oeif_safeguarding_is_effective",
    },
    under("latest_oeif", OLD_AREAS),
)
UNGRADED = Block(
    "ungraded",
    Scale.OLD4,
    {
        "number": "latest_ungraded_inspection_number",
        "started": "date_of_latest_ungraded_inspection",
        "published": "ungraded_inspection_publication_date",
        "urn": "urn_at_time_of_the_ungraded_inspection",
        "outcome": "ungraded_inspection_overall_outcome",
    },
    {},
    Framework.S8_UNGRADED,
)
LATEST = Block(
    "latest",
    Scale.OLD4,
    {
        "number": "inspection_number_of_latest_full_inspection",
        "kind": "inspection_type",
        "started": "inspection_start_date",
        "published": "publication_date",
        "urn": "urn_at_time_of_latest_full_inspection",
        "concern": "category_of_concern",
        "safeguarding": "safeguarding_is_effective",
    },
    OLD_AREAS,
)
PREVIOUS = Block(
    "previous",
    Scale.OLD4,
    {
        "number": "previous_full_inspection_number",
        "started": "previous_inspection_start_date",
        "published": "previous_publication_date",
        "urn": "urn_at_time_of_previous_full_inspection",
        "concern": "previous_category_of_concern",
        "safeguarding": "previous_safeguarding_is_effective",
    },
    under("previous", OLD_AREAS) | {Area.OVERALL_EFFECTIVENESS: "previous_full_inspection_overall_effectiveness"},
)
SHORT_BECAME_FULL = "did_the_latest_section_8_inspection_of_a_good_and_outstanding_school_convert_to_a_full_inspection"
SECTION_8 = Block(
    "section_8",
    Scale.OLD4,
    {
        "number": "latest_section_8_inspection_of_a_good_and_outstanding_school_number_since_last_full_inspection",
        "started": "date_of_latest_section_8_inspection_of_a_good_and_outstanding_school",
        "published": "section_8_inspection_of_a_good_and_outstanding_school_publication_date",
        "urn": "urn_at_time_of_the_section_8_inspection_of_a_good_and_outstanding_school",
        "outcome": "section_8_inspection_of_a_good_and_outstanding_school_overall_outcome",
        "converted": SHORT_BECAME_FULL,
    },
    {},
    Framework.S8_UNGRADED,
)


def layout(name: str, blocks: tuple[Block, ...], **more: str) -> Layout:
    """A layout of these blocks, every column of which must be there."""
    columns = dict(more)
    for each in blocks:
        columns |= each.fields()
    return Layout(name, columns, tuple(columns))


BLOCKS = {
    "report_cards": (REPORT_CARD, GRADED, UNGRADED),
    "two_latest": (LATEST, PREVIOUS, SECTION_8),
}
"""By layout, the inspections that a row can speak of: since November 2025 with report cards, and as of 2022."""
LAYOUTS = (
    layout("report_cards", BLOCKS["report_cards"], urn="urn"),
    layout("two_latest", BLOCKS["two_latest"], laestab="laestab"),
)


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
