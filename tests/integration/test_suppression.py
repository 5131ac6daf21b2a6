"""Small numbers are withheld from everybody but those who answer for the school, wherever they could be read."""

from collections.abc import Iterator

import pytest

from services.demo import cast
from services.kernel.types import Kind
from services.outcomes import columns, panels, registers
from services.outcomes.evaluations import jobs
from services.outcomes.needs import service as needs
from tests.integration.scenes import Case
from tests.integration.test_needs import every
from tests.world import Json, World, change

MEASURE = "KS4_A8"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Nor does what was read here serve other tests."""
    yield
    forget()


def forget() -> None:
    """What is kept of releases would hide that a row was changed behind them."""
    for kept in (columns.KEEP, panels.MERGED, registers.KEPT, needs.KEPT):
        kept.clear()


@pytest.fixture
def small(seeded_world: World) -> int:
    """A secondary school of the sample with four pupils in its last year."""
    found = seeded_world.rows(
        "SELECT o.urn FROM outcomes.observation o JOIN outcomes.establishment e USING (urn)"
        " WHERE o.measure = %(measure)s AND o.value > 10 AND e.status LIKE 'open%%'"
        " AND o.denominator > 20 ORDER BY o.urn LIMIT 1",
        measure=MEASURE,
    )
    four = "UPDATE outcomes.observation SET denominator = 4"
    which = "WHERE urn = %(urn)s AND measure LIKE 'KS4_A8%%'"
    change(seeded_world.database_url, f"{four} {which}", urn=found[0][0])
    forget()
    return int(found[0][0])


async def observed(actor, urn: int) -> Json:
    """What a caller reads of the school's result."""
    page = await actor.get(f"/v1/schools/{urn}/observations", measure=MEASURE)
    return page["data"][0]


async def test_four_pupils_are_told_to_those_who_answer_for_them_only(seeded_world: World, small: int) -> None:
    [(region, la)] = seeded_world.rows(
        "SELECT region, la_code FROM outcomes.establishment WHERE urn = %(urn)s", urn=small
    )
    own = [
        await seeded_world.client(Kind.DFE),
        await seeded_world.client(Kind.COMMISSIONER, regions=[region]),
        await seeded_world.client(Kind.COMMISSIONER, la_codes=[la]),
        await seeded_world.client(Kind.RESPONSIBLE_BODY, urns=[str(small)]),
    ]
    for actor in own:
        found = await observed(actor, small)
        assert (found["state"], found["value"], found["denominator"], found["disclosive"]) == (
            "ok",
            float(found["raw"]),
            4,
            True,
        )
    others = [
        await seeded_world.client(Kind.COMMISSIONER, regions=["Nowhere"]),
        await seeded_world.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER),
        await seeded_world.client(Kind.RESPONSIBLE_BODY, urns=["135900"]),
    ]
    for actor in others:
        found = await observed(actor, small)
        assert (found["state"], found["value"], found["denominator"]) == ("suppressed", None, None)
        assert found["raw"] == ""


async def test_the_list_of_needs_is_reckoned_from_nothing_that_may_not_be_told(seeded_world: World, small: int) -> None:
    """Not one figure or place of any school hangs on what four pupils achieved, or two beside a group of twenty."""
    [(region,)] = seeded_world.rows("SELECT region FROM outcomes.establishment WHERE urn = %(urn)s", urn=small)
    readers = [
        await seeded_world.client(Kind.DFE),
        await seeded_world.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER),
    ]

    async def seen(statement: str, value: int) -> tuple[list[Json], Json]:
        """The list with a value changed, which is the same for every reader, and what it says of the school."""
        change(seeded_world.database_url, statement, urn=small, value=value)
        forget()
        listed, same = [await every(actor, region=region, key_stage="KS4") for actor in readers]
        assert listed == same
        return listed, next(each for each in listed if each["urn"] == str(small))

    which = "WHERE urn = %(urn)s AND measure IN ('KS4_A8', 'KS4_A8_DIS')"
    low, of_four = await seen(f"UPDATE outcomes.observation SET value = %(value)s {which}", 20)
    part = of_four["parts"]["attainment"]
    assert (part["value"], part["n"], part["imputed"], part["missing"]) == (None, None, True, "suppressed")
    assert of_four["expected_rank"] is not None
    assert (await seen(f"UPDATE outcomes.observation SET value = %(value)s {which}", 80))[0] == low
    two_apart = (
        "UPDATE outcomes.observation SET denominator = CASE measure WHEN 'KS4_A8' THEN 22 ELSE 20 END,"
        f" value = CASE measure WHEN 'KS4_A8' THEN 60 ELSE %(value)s END {which}"
    )
    low, beside_two = await seen(two_apart, 30)
    assert beside_two["parts"]["attainment"]["value"] == 60
    gap = beside_two["parts"]["disadvantage_gap"]
    assert (gap["value"], gap["protected"]) == (0, True), "nearly all pupils are as all are"
    assert not beside_two["parts"]["attainment"]["protected"]
    assert (await seen(two_apart, 60))[0] == low


async def test_a_verdict_rests_on_no_result_of_other_schools_that_may_not_be_told(case: Case) -> None:
    """Of twenty pupils at a comparator one stands out, or two: that makes no difference to any figure or picture."""
    url, found = case.world.database_url, (await case["dfe"].get(f"{case.contract}/evaluations"))["data"][0]
    regions = dict(case.world.rows("SELECT urn, region FROM outcomes.establishment"))
    listed = [each["urn"] for each in found["measures"][0]["comparators"]["comparators"]]
    urn = next(each for each in listed if regions[each] != "North West")
    twenty = "UPDATE outcomes.observation SET value = 20, denominator = 20 WHERE urn = %(urn)s"
    change(url, f"{twenty} AND measure = 'CENSUS_NOR'", urn=urn)
    some = (
        "UPDATE outcomes.observation SET denominator = NULL, value = CASE academic_year WHEN %(year)s THEN %(value)s"
        " ELSE 50 END WHERE urn = %(urn)s AND measure = 'ABS_PA'"
    )

    async def judged(year: int, pupils: int) -> tuple[Json, list[Json]]:
        """The verdict and its pictures where so many of the twenty stand out in a year, the same for every reader."""
        change(url, some, urn=urn, year=year, value=5 * pupils)
        forget()
        made = await case["rsc"].post(f"{case.contract}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
        path = f"/v1/evaluations/{made['id']}"
        assert [await case[who].get(path) for who in ("rsc", "mat", "dfe")] == [made] * 3
        assert (await case["mat"].get(f"{case.contract}/evaluations"))["data"][0] == made
        plots = [f"{path}/plots/{name}" for name in ("school", "changes", "funnel")]
        pictures = [[await case[who].get(plot, format="json") for plot in plots] for who in ("mat", "dfe")]
        assert pictures[0] == pictures[1]
        return made, pictures[0]

    for year, name, middle in ((2023, "outcome", 7.5), (2022, "baseline", (7.5 + 50) / 2)):
        one, two, (made, pictures) = [await judged(year, pupils) for pupils in (1, 2, 3)]
        assert one == two, "the same verdict, not only one that looks the same"
        assert of_urn(one[0], urn)[name] == pytest.approx(middle)
        assert of_urn(made, urn)[name] > middle
        assert made["inputs_hash"] != one[0]["inputs_hash"]
        assert pictures[1]["table"] != one[1][1]["table"]
        shown = {row["urn"]: row["value"] for row in pictures[2]["table"]["rows"]}
        assert shown[str(urn)] == pytest.approx(of_urn(made, urn)["outcome"], abs=1e-4)
    change(url, "UPDATE outcomes.evaluation SET method_version = '2026.7' WHERE id = %(id)s", id=made["id"])
    answer = await case["dfe"].get(f"/v1/evaluations/{made['id']}")
    assert of_urn(answer, urn) == dict.fromkeys(of_urn(made, urn)) | {"urn": urn}, "an early verdict but names it"
    assert answer["measures"][0]["effect"] == made["measures"][0]["effect"]


def of_urn(verdict: Json, urn: int) -> Json:
    """What a verdict says of a comparator of its first outcome."""
    return next(each for each in verdict["measures"][0]["comparators"]["comparators"] if each["urn"] == urn)


OWN = ("baseline", "actual")


async def test_a_verdict_marks_what_would_tell_of_single_pupils_of_its_own_school(case: Case) -> None:
    """Two of twenty pupils: the parties are told, and told to keep it; nobody else is, whatever is published."""
    url, path = case.world.database_url, f"{case.contract}/evaluations"
    before = (await case["mat"].get(path))["data"][0]["measures"]
    assert {each[name]["disclosive"] for each in before for name in OWN} == {False}
    few = (
        "UPDATE outcomes.observation SET value = 10.00123, denominator = 20"
        " WHERE urn = %(urn)s AND measure = 'ABS_PA' AND academic_year = 2023"
    )
    change(url, few, urn=int(cast.SCHOOL))
    forget()
    made = await case["rsc"].post(path, {"academic_year": cast.YEAR, "run": "final"})
    verdicts = [made, *[await case[who].get(f"/v1/evaluations/{made['id']}") for who in ("rsc", "mat", "body", "dfe")]]
    for verdict in [*verdicts, (await case["mat"].get(path))["data"][0]]:
        found = {each["measure"]: each for each in verdict["measures"]}["ABS_PA"]
        assert found["actual"] == {"value": 10.00123, "n": 20, "years": [cast.YEAR], "disclosive": True}
        assert found["baseline"]["disclosive"] is False
    await case.world.settle()
    told = [(await case.world.http.get("/v1/ocds/releases")).text, (await case["mat"].ask("GET", "/v1/events")).text]
    for text in told:
        assert str(case.contract.rpartition("/")[2]) in text
        for figure in (found["actual"]["value"], found["effect"]["tau"], found["actual_ci95"]["high"], found["shrunk"]):
            assert str(figure)[:7] not in text
    assert (await jobs.recompute(case.world.database("outcomes")))[1] == []


async def test_the_register_of_ring_fences_says_of_every_series_of_a_year_what_it_is(case) -> None:
    found = (await case["dfe"].get("/v1/ring-fences", academic_year=cast.YEAR))["data"]
    fence = next(each for each in found if each["school_urn"] == cast.SCHOOL)
    roles = {each["key_stage"]: (each["contract_role"], each["kept_apart"]) for each in fence["series"]}
    assert roles == dict.fromkeys(("KS2", "KS4", "ABS"), ("accountable", True))
    assert fence["series"][0]["census_on"] == "2023-09-12"
    assert (await case["dfe"].get("/v1/ring-fences", academic_year="2018/19"))["data"] == []
    csv = await case["dfe"].ask(
        "GET", "/v1/ring-fences", params={"academic_year": cast.YEAR}, headers={"Accept": "text/csv"}
    )
    lines = csv.text.splitlines()
    assert len(lines) == 4
    assert lines[0].endswith("key_stage,census_on,assessed_on,contract_role,kept_apart")
    plain = (await case["dfe"].get("/v1/ring-fences"))["data"]
    assert plain[0]["series"] is None


async def test_a_table_names_the_rule_by_which_it_counts(case) -> None:
    path = f"/v1/trusts/{cast.OUTGOING}/performance"
    found = await case["dfe"].get(path, academic_year=cast.YEAR, key_stage="ABS", time_weighting="cap4")
    rule = found["rule"]
    assert (rule["version"], rule["census"], rule["full_years"], rule["schools"]) == ("dfe/1", "09-12", 3, 3)
    assert (rule["time_weighting"], rule["count_contract_years"], rule["carry_over"]) == ("cap4", False, False)
    plain = await case["dfe"].get(path, academic_year=cast.YEAR, key_stage="ABS")
    assert plain["rule"]["time_weighting"] == "none"
    assert {each["left_out"] for each in plain["views"]["dfe"]["measures"]} == {0}
