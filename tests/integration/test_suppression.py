"""Small numbers are withheld from everybody but those who answer for the school, wherever they could be read."""

import csv
import io
from collections.abc import Iterator

import pytest

from services.demo import cast
from services.kernel.types import Kind
from services.outcomes import columns, panels, registers
from services.outcomes.needs import service as needs
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
