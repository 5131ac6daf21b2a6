"""Where the layouts of Ofsted's management information write inspections: a block of columns for each."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.outcomes.feeds.columns import Layout
from services.outcomes.rules.grades import Area, Scale
from services.outcomes.rules.inspection import Framework

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


FULL = {
    "number": "inspection_number_of_latest_full_inspection",
    "kind": "inspection_type",
    "started": "inspection_start_date",
    "published": "publication_date",
    "urn": "urn_at_time_of_latest_full_inspection",
    "concern": "category_of_concern",
}
REPORT_CARD = Block(
    "report_card",
    Scale.NEW5,
    FULL | {"safeguarding": "safeguarding_standards"},
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
    FULL | {"safeguarding": "safeguarding_is_effective"},
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
