"""DfE's table of trusts at key stage 4: what it reckoned itself for every trust that it compares."""

import re

from services.outcomes.feeds.observations import figure_of, whole
from services.outcomes.feeds.reading import Cells, RowRejected, read, sheet, urn_of
from services.outcomes.feeds.records import Parsed, TrustObservationRecord
from services.outcomes.rules.measures import MEASURES

GROUPS = {"all": "", "disadvantaged": "_fsm6cla1a", "other": "_nfsm6cla1a"}
"""Groups of pupils, and how their columns end."""
FIGURES = {
    "KS4_A8": "att8scr_wgtavg",
    "KS4_P8": "p8mea_wgtavg",
    "KS4_EM95": "ptl2basics_95_wgtavg",
    "KS4_EBACC_APS": "ebaccaps_wgtavg",
    "KS4_EBACC_ENTRY": "ptebacc_e_ptq_ee_wgtavg",
}
BOUNDS = {"KS4_P8": ("p8cilow", "p8ciupp")}
COLUMNS = {
    **{name: (name,) for name in ("time_period", "trust_uid")},
    **{name: (name,) for name in ("institutions_matptinc", "tpup_matptinc")},
    **{f"{column}{end}": (f"{column}{end}",) for column in FIGURES.values() for end in GROUPS.values()},
    **{f"{column}{end}": (f"{column}{end}",) for pair in BOUNDS.values() for column in pair for end in GROUPS.values()},
}
PERIOD = re.compile(r"(20[0-9]{2})([0-9]{2})", re.ASCII)


def academic_year(cell: Cells) -> int:
    """The year in which the academic year of a row starts; raises RowRejected."""
    found = PERIOD.fullmatch(cell("time_period"))
    if found is None or (int(found[1]) + 1) % 100 != int(found[2]):
        raise RowRejected("bad_year", f"time_period: {cell('time_period')[:20]!r} is not an academic year.")
    return int(found[1])


def trust(cell: Cells) -> list[TrustObservationRecord | RowRejected]:
    """The figures of a row. The table's company numbers have lost a zero: the group UID is what a trust is known by."""
    uid, year = cell("trust_uid"), academic_year(cell)
    if not uid.isdecimal():
        raise RowRejected("bad_uid", f"trust_uid: {uid[:20]!r} is not a group UID.")
    named = cell("institutions_matptinc")
    urns = tuple(urn_of(each, "institutions_matptinc") for each in named.split(";")) if named else ()
    found: list[TrustObservationRecord | RowRejected] = []
    for measure, column in FIGURES.items():
        for group, end in GROUPS.items():
            try:
                value = figure_of(column + end, MEASURES[measure])(cell(column + end))
                bounds = [figure_of(each + end)(cell(each + end)).number for each in BOUNDS.get(measure, ())]
            except RowRejected as error:
                found.append(error)
                continue
            pupils = whole(cell("tpup_matptinc")) if group == "all" else None
            lower, upper = bounds or (None, None)
            found.append(
                TrustObservationRecord(
                    uid, measure, group, year, value.state, value.number, lower, upper, value.raw, pupils, urns
                )
            )
    return found


def parse(content: bytes, _academic_year: int | None) -> Parsed[TrustObservationRecord]:
    """Read the table; the file names its year. Raises FeedRefused."""
    return read(
        sheet(content),
        COLUMNS,
        COLUMNS,
        make=trust,
        unique=lambda each: (each.trust_uid, each.measure, each.pupil_group, each.academic_year),
    )
