"""The main job, end to end, over HTTP, with real tokens and keys, on DfE's figures."""

from contextlib import closing
from io import StringIO

import pytest
from rich.console import Console

from services.demo import cast, story
from services.demo.play import Play
from services.demo.stage import Stage
from tests.world import clone, drop, rows


@pytest.fixture(scope="module")
def told(owner_url: str, migrated: str, tmp_path_factory: pytest.TempPathFactory):
    """The story told once; gives the play, what was printed, and the database."""
    url = clone(owner_url, migrated)
    printed = StringIO()
    console = Console(file=printed, width=120)
    stage = Stage(url, tmp_path_factory.mktemp("stage"))
    with stage.open(), closing(Play(stage, console)) as play:
        story.tell(play)
        yield play, printed.getvalue(), url
    drop(owner_url, url)


def test_the_story_comes_out_as_told(told) -> None:
    _play, printed, _url = told
    assert all(str(chapter.__doc__)[:40] in printed for chapter in story.CHAPTERS)
    assert "an invented contract" in printed


def test_every_effect_happened_exactly_once(told) -> None:
    _play, _printed, url = told
    assert rows(url, "SELECT count(*) FROM gateway.milestone_record") == [(3,)]
    assert rows(url, "SELECT status, count(*) FROM contracts.payment GROUP BY 1 ORDER BY 1") == [
        ("earned", 8),
        ("withheld", 1),
    ]
    assert rows(url, "SELECT count(*) FROM outcomes.full_membership") == [(1,)]
    assert rows(url, "SELECT status FROM contracts.contract") == [("transferred",)]
    assert rows(url, "SELECT status FROM gateway.transfer") == [("completed",)]


def test_membership_follows_the_effective_date(told) -> None:
    play, _printed, url = told
    found = rows(
        url,
        "SELECT trust_uid, joined_on::text, left_on::text FROM outcomes.membership"
        " WHERE urn = %(urn)s ORDER BY joined_on",
        urn=int(cast.SCHOOL),
    )
    assert found == [(cast.OUTGOING, "2009-09-01", cast.EFFECTIVE_ON), (cast.SUPPLIER, cast.EFFECTIVE_ON, None)]
    assert play["rsc"].get(f"/v1/schools/{cast.SCHOOL}")["trust"]["uid"] == cast.SUPPLIER


def test_payments_add_up_to_the_value(told) -> None:
    play, _printed, _url = told
    contract = play["finance"].get(play.contract)
    payments = play["finance"].get(f"{play.contract}/payments")["data"]
    assert sum(each["amount_pence"] for each in payments) == contract["value_pence"] == 23_000_000
    milestones = {each["code"]: each["earned_on"] for each in payments if each["kind"] == "milestone"}
    assert milestones == {"M1": "2023-10-27", "M2": "2024-01-22", "M3": "2024-07-15"}
