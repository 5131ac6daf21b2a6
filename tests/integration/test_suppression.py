"""Small numbers are withheld from everybody but those who answer for the school, wherever they could be read."""

import csv
import io
from collections.abc import Iterator

import pytest

from services.demo import cast
from services.kernel.types import Kind
from services.outcomes import columns, panels, registers
from services.outcomes.evaluations import jobs
from services.outcomes.needs import service as needs
from tests.integration.scenes import Case
from tests.integration.test_needs import every
from tests.world import Actor, Json, World, change

MEASURE = "KS4_A8"


def forget() -> None:
    """What is kept of releases would hide that a row was changed behind them."""
    for kept in (columns.KEEP, panels.MERGED, registers.KEPT, needs.KEPT):
        kept.clear()


@pytest.fixture
def small(seeded_world: World) -> Iterator[int]:
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
    yield int(found[0][0])
    forget()


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


async def test_the_list_of_needs_withholds_what_four_pupils_could_be_reckoned_from(
    seeded_world: World, small: int
) -> None:
    [(region,)] = seeded_world.rows("SELECT region FROM outcomes.establishment WHERE urn = %(urn)s", urn=small)
    dfe = await seeded_world.client(Kind.DFE)
    supplier = await seeded_world.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER)

    async def seen(actor: Actor) -> tuple[int, Json]:
        """Where the school is in the list, and what is said of it."""
        listed = await every(actor, region=region, key_stage="KS4")
        [at] = [number for number, each in enumerate(listed) if each["urn"] == str(small)]
        return at, listed[at]

    _place, whole = await seen(dfe)
    assert whole["parts"]["attainment"]["estimate"] is not None
    _last, guarded = await seen(supplier)
    hidden = guarded["parts"]["attainment"]
    assert (hidden["value"], hidden["n"], hidden["estimate"], hidden["share"], hidden["withheld"]) == (
        *(None, None, None, None),
        True,
    )
    placed = ("need", "expected_rank", "rank_low", "rank_high", "p_worst_decile")
    assert None not in [whole[name] for name in placed]
    assert [guarded[name] for name in placed] == [None] * 5
    assert guarded["tier"] == whole["tier"]
    two_apart = (
        "UPDATE outcomes.observation SET denominator = CASE measure WHEN 'KS4_A8' THEN 22 ELSE 20 END,"
        " value = CASE measure WHEN 'KS4_A8' THEN 60 ELSE %(value)s END"
        " WHERE urn = %(urn)s AND measure IN ('KS4_A8', 'KS4_A8_DIS')"
    )
    told = []
    for value in (30, 60):
        change(seeded_world.database_url, two_apart, urn=small, value=value)
        forget()
        told.append((await seen(dfe), await seen(supplier)))
    (low, guarded_low), (high, guarded_high) = told
    assert guarded_low[1]["parts"]["disadvantage_gap"]["withheld"]
    assert (low[1]["tier"], low[0] < high[0]) == (high[1]["tier"], True)
    assert guarded_low == guarded_high, "neither the figures nor the place in the list tell of the pupils"
    last = guarded_high[0]
    table = await supplier.ask(
        "GET", "/v1/needs", params={"region": region, "key_stage": "KS4"}, headers={"Accept": "text/csv"}
    )
    row = list(csv.DictReader(io.StringIO(table.text)))[last]
    assert (row["urn"], *(row[name] for name in (*placed, "disadvantage_gap", "disadvantage_gap_estimate"))) == (
        str(small),
        *[""] * 7,
    )


async def test_a_verdict_keeps_other_schools_figures_from_those_who_do_not_answer_for_them(case: Case) -> None:
    """Twenty pupils, of whom two stand out: their school's figures are kept out of the verdict and of its pictures."""
    url, measure = case.world.database_url, "ABS_PA"
    found = (await case["dfe"].get(f"{case.contract}/evaluations"))["data"][0]
    regions = dict(case.world.rows("SELECT urn, region FROM outcomes.establishment"))
    listed = [each["urn"] for each in found["measures"][0]["comparators"]["comparators"]]
    urn = next(each for each in listed if regions[each] != "North West")
    twenty = "UPDATE outcomes.observation SET value = 20, denominator = 20 WHERE urn = %(urn)s"
    change(url, f"{twenty} AND measure = 'CENSUS_NOR'", urn=urn)
    two = (
        "UPDATE outcomes.observation SET denominator = NULL, value = CASE academic_year WHEN %(year)s THEN 10 ELSE 50"
        " END WHERE urn = %(urn)s AND measure = 'ABS_PA'"
    )
    for year in (2023, 2022):
        change(url, two, urn=urn, year=year)
        forget()
        page = await case["mat"].get(f"/v1/schools/{urn}/observations", measure=measure)
        states = {each["academic_year"]: each["state"] for each in page["data"]}
        assert states[f"{year}/{year - 1999}"] == "suppressed"
        asked = {"academic_year": cast.YEAR, "run": "final"}
        made = await case["rsc"].post(f"{case.contract}/evaluations", asked)
        path = f"/v1/evaluations/{made['id']}"
        verdicts = [made, *[await case[who].get(path) for who in ("rsc", "mat")]]
        verdicts.append((await case["mat"].get(f"{case.contract}/evaluations"))["data"][0])
        whole = await case["dfe"].get(path)
        [(stored,)] = case.world.rows("SELECT result FROM outcomes.evaluation WHERE id = %(id)s", id=made["id"])
        assert [kept(each) for each in whole["measures"]] == stored["measures"]
        own = of_urn(whole, urn)
        assert None not in own.values()
        for each in verdicts:
            assert each["inputs_hash"] == whole["inputs_hash"]
            nothing = dict.fromkeys(("baseline", "outcome", "baseline_n", "outcome_n", "pre_change"))
            assert of_urn(each, urn) == {"urn": urn, "distance": own["distance"], **nothing, "withheld": True}
            others = each["measures"][0]["comparators"]["comparators"]
            shown = [other for other in others if "withheld" not in other]
            assert len(shown) > 40
            assert all(other == of_urn(whole, other["urn"]) for other in shown)
        await pictured(case, path, urn, {str(each["urn"]) for each in shown}, f"{year}/{year - 1999}")


async def pictured(case: Case, path: str, urn: int, shown: set[str], year: str) -> None:
    """The pictures of the verdict are made without the school for the supplier, and with it for DfE."""
    of_supplier, of_all = [
        {plot: await case[who].get(f"{path}/plots/{plot}", format="json") for plot in ("funnel", "changes", "school")}
        for who in ("mat", "dfe")
    ]
    named, all_named = [{each["urn"] for each in of["funnel"]["table"]["rows"]} for of in (of_supplier, of_all)]
    assert named - {None} == shown
    assert str(urn) in all_named - named
    for plot in ("funnel", "changes"):
        assert of_supplier[plot]["notes"][-1].startswith("Not shown, since they would tell of single pupils:")
        assert not of_all[plot]["notes"][-1].startswith("Not shown")
    bars = [each for each in of_supplier["changes"]["table"]["rows"] if each["what"] == "comparators"]
    assert sum(each["schools"] for each in bars) == len(shown)
    fewer, every_one = [
        next(each["comparators"] for each in of["school"]["table"]["rows"] if each["academic_year"] == year)
        for of in (of_supplier, of_all)
    ]
    assert fewer < every_one


def of_urn(verdict: Json, urn: int) -> Json:
    """What a verdict says of a comparator of its first outcome."""
    return next(each for each in verdict["measures"][0]["comparators"]["comparators"] if each["urn"] == urn)


def kept(shown: Json) -> Json:
    """What is stored of an outcome's verdict as it is shown: whom its own figures tell of is said when they are."""
    own = {name: {key: value for key, value in shown[name].items() if key != "disclosive"} for name in OWN}
    return shown | own


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
