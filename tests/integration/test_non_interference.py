"""Kept apart: whatever becomes of contracts and verdicts, the performance tables come out byte for byte the same."""

import json

import pytest

from services.demo import cast
from services.outcomes.rules.measures import KeyStage
from tests.integration.conftest import consent
from tests.integration.scenes import Case
from tests.world import REWRITE_RELEASES, Json, change

YEARS = ("2018/19", "2022/23", "2023/24")
TRUSTS = (cast.SUPPLIER, cast.OUTGOING)
CHANGED = (
    "UPDATE outcomes.evaluation SET overall = 'not_met', result = '{}', inputs = '{}', run = 'interim'",
    "UPDATE contracts.contract SET evaluation = NULL",
    'UPDATE contracts.outcome SET target_value = 99, weight = 0.1, critical = NOT critical, floor = NULL, "full" = 7,'
    " baseline = '{\"value\": 1}', payment_pence = 1",
    "UPDATE contracts.milestone SET status = 'not_met'",
    "UPDATE contracts.payment SET status = 'withheld', earned_on = NULL, due_on = NULL",
)
DELETED = (
    "DELETE FROM outcomes.evaluation",
    "DELETE FROM contracts.outcome",
    "DELETE FROM contracts.payment",
    "DELETE FROM contracts.applied_record",
    "DELETE FROM contracts.milestone",
)
Tables = dict[tuple[str, str, str, str], bytes]


async def tables(case: Case) -> Tables:
    """The performance tables of both trusts, of all key stages and years, as JSON and as CSV."""
    found: Tables = {}
    for trust in TRUSTS:
        for stage in KeyStage:
            for year in YEARS:
                for kind in ("application/json", "text/csv"):
                    path = f"/v1/trusts/{trust}/performance?academic_year={year}&key_stage={stage.value}"
                    answer = await case["dfe"].ask("GET", path, headers={"Accept": kind})
                    assert answer.status_code == 200, answer.text
                    assert answer.headers["content-type"].startswith(kind)
                    found[trust, stage.value, year, kind] = answer.content
    return found


def pooled(table: bytes, view: str, measure: str) -> Json:
    """A measure of a view of a table."""
    found: Json = next(each for each in json.loads(table)["views"][view]["measures"] if each["measure"] == measure)
    return found


def differing(before: Tables, after: Tables) -> list[tuple[str, str, str, str]]:
    """Which of the tables have changed."""
    return [key for key in before if before[key] != after[key]]


async def test_tables_are_the_same_after_every_verdict_and_outcome_was_changed_and_deleted(case: Case) -> None:
    assert case.world.rows("SELECT count(*) > 0 FROM outcomes.evaluation") == [(True,)]
    before = await tables(case)
    for statements in (CHANGED, DELETED):
        for statement in statements:
            change(case.world.database_url, f"SET session_replication_role = replica; {statement}")
        assert differing(before, await tables(case)) == []
    assert case.world.rows("SELECT count(*) FROM outcomes.evaluation") == [(0,)]
    assert case.world.rows("SELECT count(*) FROM contracts.outcome") == [(0,)]


async def test_tables_are_the_same_after_further_evaluations_and_decisions(case: Case) -> None:
    before = await tables(case)
    for year, run in (("2023/24", "interim"), ("2022/23", "final")):
        await case["rsc"].post(f"{case.contract}/evaluations", {"academic_year": year, "run": run})
    await consent(case["rsc"], case.transfer, "rsc", "declined")
    await case.world.settle()
    assert differing(before, await tables(case)) == []


@pytest.mark.parametrize("trust", TRUSTS)
async def test_the_contracted_school_is_in_no_view_of_full_members(case: Case, trust: str) -> None:
    for stage in ("ABS", "KS4"):
        query = {"academic_year": cast.YEAR, "key_stage": stage}
        found = await case["dfe"].get(f"/v1/trusts/{trust}/performance", **query)
        inside = {name: {each["urn"] for each in view["members"]} for name, view in found["views"].items()}
        if trust == cast.SUPPLIER:
            assert inside["contracts"] == {cast.SCHOOL}
            assert cast.SCHOOL not in inside["dfe"] | inside["platform"]
            place = next(each for each in found["reconciliation"] if each["urn"] == cast.SCHOOL)
            assert (place["role"], place["counts_in"]) == ("ringfenced", ["contracts"])
        else:
            assert inside["contracts"] == set()
            assert cast.SCHOOL in inside["dfe"]


async def test_tables_do_change_with_what_they_are_made_from(case: Case) -> None:
    before = await tables(case)
    whole = "decimals = '{\"ABS_PA\": 0}' WHERE feed = 'absence'"
    change(case.world.database_url, REWRITE_RELEASES + whole)
    rounded = await tables(case)
    assert {(key[1], key[2]) for key in differing(before, rounded)} == {("ABS", "2022/23"), ("ABS", "2023/24")}
    of = (cast.OUTGOING, "ABS", "2023/24", "application/json")
    exact, found = (pooled(each[of], "platform", "ABS_PA") for each in (before, rounded))
    assert found["value"] == exact["value"]
    ends = [(each["high"] - each["value"]) ** 2 for each in (exact, found)]
    assert 0 < ends[1] - ends[0] < (1.96 * 0.5) ** 2 / 3, "published to a whole percent, of several schools"
    join = "UPDATE outcomes.membership SET trust_uid = %(uid)s WHERE urn = %(urn)s"
    change(case.world.database_url, join, uid=cast.ANOTHER_TRUST, urn=int(cast.SCHOOL))
    left = differing(before, await tables(case))
    assert (cast.OUTGOING, "ABS", "2023/24", "application/json") in left
    change(case.world.database_url, "UPDATE outcomes.observation SET value = value / 2 WHERE measure = 'ABS_PA'")
    halved = differing(before, await tables(case))
    assert {key[0] for key in halved if key[1] == "ABS"} == set(TRUSTS)
    assert {key[3] for key in halved} == {"application/json", "text/csv"}
