"""What is read of which data set of Explore Education Statistics: layouts, columns, and the options of filters.

All of it is declared here and changes only with `VERSION`, which is kept with every release as part of its layout.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from services.outcomes.feeds.columns import Layout
from services.outcomes.feeds.observations import Figure

VERSION = "2"
EVERY_FILE = {
    "period": "time_period",
    "identifier": "time_identifier",
    "level": "geographic_level",
    "urn": "school_urn",
}
CODED = (
    *("country", "region", "new_la", "lad", "pcon", "ward", "lsip", "local_enterprise_partnership", "planning_area"),
    *("english_devolved_area", "mayoral_combined_authority", "opportunity_area", "police_force_area"),
)
PLACES = frozenset(f"{name}_{end}" for name in CODED for end in ("code", "name")) | {
    *("old_la_code", "la_name", "rsc_region_lead_name", "trust_id", "trust_name", "sponsor_id", "sponsor_name"),
    *("school_urn", "school_laestab", "school_estab", "school_name", "school_postcode", "institution_id"),
    *("institution_name", "provider_urn", "provider_ukprn", "provider_upin", "provider_name"),
}
"""Columns that say where a row is of, in any data file. Source: the columns that EES knows by level."""
OF_SCHOOLS = frozenset({"full_address", "telnum", "reldenom", "admpol_pt", "egender", "agerange", "p8_banding"})
"""Facts of a school, in words, in DfE's own data files of schools."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of pupils: the options of its rows by field, where the file has the field, and what is read from them."""

    options: Mapping[str, str]
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A kind of data set: its layouts and the groups that are read.

    `attributes` are filters of which a school, or a group, has one option only; `everybody` those, by field, that must
    stand at the total in every row that is read.
    """

    layouts: tuple[Layout, ...]
    groups: tuple[Group, ...]
    attributes: frozenset[str] = frozenset()
    everybody: tuple[str, ...] = ()

    def declared(self, layout: Layout) -> frozenset[str]:
        """The columns of a layout of which is known what they say."""
        return PLACES | OF_SCHOOLS | self.attributes | frozenset(layout.columns.values())

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What is read of any group."""
        return tuple(chain.from_iterable(group.figures for group in self.groups))


def layout(name: str, fields: Mapping[str, str], required: Iterable[str]) -> Layout:
    """A layout with the columns that every data file has."""
    return Layout(f"{name}.{VERSION}", {**EVERY_FILE, **fields}, (*EVERY_FILE, *required))


DETAILS = ("sex", "first_language", "prior_attainment", "mobility")
"""Filters that spell out a breakdown."""
KS4 = DataSet(
    layouts=(
        layout(
            "ees_ks4_202324",
            {
                "breakdown": "breakdown",
                "pupils": "t_pupils",
                "attainment": "avg_att8",
                "progress": "avg_p8score",
                "strong": "pt_l2basics_95",
                "standard": "pt_l2basics_94",
                "ebacc": "avg_ebaccaps",
                "ebacc_entered": "pt_ebacc_e_ptq_ee",
                **{name: name for name in DETAILS},
            },
            ("breakdown", "attainment", "strong", "standard"),
        ),
        layout(
            "ees_ks4_202425",
            {
                "breakdown": "breakdown",
                "pupils": "pupil_count",
                "attainment": "attainment8_average",
                "progress": "progress8_average",
                "strong": "engmath_95_percent",
                "standard": "engmath_94_percent",
                "ebacc": "ebacc_aps_average",
                "ebacc_entered": "ebacc_entering_percent",
                **{name: name for name in DETAILS},
            },
            ("breakdown", "attainment", "strong", "standard"),
        ),
    ),
    groups=(
        Group(
            {"breakdown": "total"},
            (
                Figure("KS4_A8", "attainment", "pupils"),
                Figure("KS4_P8", "progress", "pupils"),
                Figure("KS4_EM95", "strong", "pupils"),
                Figure("KS4_EM94", "standard", "pupils"),
                Figure("KS4_EBACC_APS", "ebacc", "pupils"),
                Figure("KS4_EBACC_ENTRY", "ebacc_entered", "pupils"),
            ),
        ),
        Group(
            {"breakdown": "disadvantaged"},
            (Figure("KS4_A8_DIS", "attainment", "pupils"), Figure("KS4_P8_DIS", "progress", "pupils")),
        ),
    ),
    attributes=frozenset({"breakdown_topic", "disadvantage_status", "establishment_type_group", "version"}),
    everybody=DETAILS,
)
"""Performance tables of schools: 2023/24 final, and 2024/25, whose file goes back three years. Source: DfE's own map of
columns for 2022/23 to 2024/25. How many pupils Progress 8 speaks of is not told; those at the end of the key stage are
a few more."""
ALL_SUBJECTS = {"breakdown": "total", "subject": "reading, writing and maths"}
KS2 = DataSet(
    layouts=(
        layout(
            "ees_ks2_attainment",
            {
                "breakdown": "breakdown",
                "subject": "subject",
                "pupils": "eligible_pupil_count",
                "expected": "expected_standard_pupil_percent",
                "higher": "higher_standard_pupil_percent",
                "score": "average_scaled_score",
                "progress": "progress_measure_score",
            },
            ("breakdown", "subject", "expected", "higher", "score"),
        ),
    ),
    groups=(
        Group(
            ALL_SUBJECTS,
            (Figure("KS2_RWM_EXP", "expected", "pupils"), Figure("KS2_RWM_HIGH", "higher", "pupils")),
        ),
        Group({**ALL_SUBJECTS, "breakdown": "disadvantaged"}, (Figure("KS2_RWM_EXP_DIS", "expected", "pupils"),)),
        Group(
            {"breakdown": "total", "subject": "reading"},
            (Figure("KS2_READ_AVG", "score", "pupils"), Figure("KS2_READ_PROG", "progress", "pupils")),
        ),
        Group(
            {"breakdown": "total", "subject": "maths"},
            (Figure("KS2_MAT_AVG", "score", "pupils"), Figure("KS2_MAT_PROG", "progress", "pupils")),
        ),
        Group({"breakdown": "total", "subject": "writing"}, (Figure("KS2_WRIT_PROG", "progress", "pupils"),)),
    ),
    attributes=frozenset({"breakdown_topic", "establishment_type_group", "version"}),
)
"""Attainment of schools at the end of key stage 2, a row for each subject; its average over three years is no group."""
ABSENCE = DataSet(
    layouts=(
        layout(
            "ees_absence_school",
            {
                "overall": "sess_overall_percent",
                "persistent": "enrolments_pa_10_exact_percent",
                "pupils": "enrolments",
                "year_group": "ncyear",
            },
            ("overall", "persistent"),
        ),
    ),
    groups=(Group({}, (Figure("ABS_OVERALL", "overall", "pupils"), Figure("ABS_PA", "persistent", "pupils"))),),
    attributes=frozenset({"school_type", "academy_type", "education_phase"}),
    everybody=("year_group",),
)
"""Absence over three terms. A file of one or two terms says so in its time identifier, and is not read."""
