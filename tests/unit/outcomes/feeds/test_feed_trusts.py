"""DfE's table of trusts: figures by group of pupils, with DfE's own intervals."""

from decimal import Decimal

from services.outcomes.feeds.trust_ks4 import COLUMNS, parse
from services.outcomes.rules.values import ValueState

ROW = {
    "time_period": "202223",
    "trust_uid": "15710",
    "institutions_matptinc": "139268;141111",
    "tpup_matptinc": "647",
    "att8scr_wgtavg": "40.4",
    "p8mea_wgtavg": "-0.68",
    "p8cilow": "-0.79",
    "p8ciupp": "-0.56",
    "ptl2basics_95_wgtavg": "34%",
    "ptl2basics_95_wgtavg_fsm6cla1a": "SUPPMAT",
}


def table(*rows: dict[str, str]) -> bytes:
    lines = [",".join(COLUMNS), *(",".join(row.get(name, "") for name in COLUMNS) for row in rows)]
    return "\n".join(lines).encode("cp1252") + b"\n"


def test_figures_by_group_with_the_interval_of_progress() -> None:
    parsed = parse(table(ROW), None)
    found = {(each.measure, each.pupil_group): each for each in parsed.records}
    assert (len(found), parsed.rejections) == (15, ())
    progress = found["KS4_P8", "all"]
    assert (progress.number, progress.lower, progress.upper) == (Decimal("-0.68"), Decimal("-0.79"), Decimal("-0.56"))
    assert (progress.academic_year, progress.pupils, progress.urns) == (2022, 647, (139268, 141111))
    withheld = found["KS4_EM95", "disadvantaged"]
    assert (withheld.state, withheld.number, withheld.pupils) == (ValueState.SUPPRESSED, None, None)
    assert found["KS4_A8", "other"].state is ValueState.MISSING


def test_rows_and_cells_that_cannot_be_used_are_named() -> None:
    rows = ({"time_period": "202224"}, {"trust_uid": "TR02786"}, {"institutions_matptinc": "12"}, {"p8cilow": "low?"})
    rows += ({"att8scr_wgtavg": "462", "trust_uid": "9"},)
    parsed = parse(table(*(ROW | row for row in rows)), None)
    assert [(each.row, each.code) for each in parsed.rejections] == [
        (1, "bad_year"),
        (2, "bad_uid"),
        (3, "bad_urn"),
        (4, "unreadable_value"),
        (5, "impossible_value"),
    ]
    assert len(parsed.records) == 28
