from datetime import date

import pytest

from services.outcomes.rules.schools import Lifetime, PhaseCode, lifetime, mainstream, phase_code, selective


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("Academy converter", "Academies"),
        ("Community school", "Local authority maintained schools"),
        ("University technical college", "Free Schools"),
        ("Studio schools", "Free Schools"),
    ],
)
def test_mainstream_state_schools(kind: str, group: str) -> None:
    assert mainstream(kind, group)


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("Academy special sponsor led", "Academies"),
        ("Pupil referral unit", "Local authority maintained schools"),
        ("Free schools alternative provision", "Free Schools"),
        ("Free schools 16 to 19", "Free Schools"),
        ("Other independent school", "Independent schools"),
        ("Community special school", "Special schools"),
    ],
)
def test_others_are_kept_out_of_trusts_tables(kind: str, group: str) -> None:
    assert not mainstream(kind, group)


def test_selective_by_the_registers_word() -> None:
    assert selective("Selective")
    assert not selective("Non-selective")
    assert not selective(None)


@pytest.mark.parametrize(
    ("phase", "kind", "code"),
    [
        ("Primary", "Community school", PhaseCode.PRIMARY),
        ("Nursery", "Local authority nursery school", PhaseCode.PRIMARY),
        ("Middle deemed primary", "Academy converter", PhaseCode.PRIMARY),
        ("Secondary", "Academy sponsor led", PhaseCode.SECONDARY),
        ("Middle deemed secondary", "Academy converter", PhaseCode.SECONDARY),
        ("All-through", "Free schools", PhaseCode.ALL_THROUGH),
        ("16 plus", "Further education", PhaseCode.POST_16),
        ("Not applicable", "Academy special sponsor led", PhaseCode.SPECIAL),
        ("Secondary", "Community special school", PhaseCode.SPECIAL),
        ("Not applicable", "Pupil referral unit", PhaseCode.ALTERNATIVE_PROVISION),
        ("Not applicable", "Free schools alternative provision", PhaseCode.ALTERNATIVE_PROVISION),
        ("16 plus", "Free schools 16 to 19", PhaseCode.POST_16),
        ("Not applicable", "Other independent school", None),
        ("", "", None),
    ],
)
def test_the_phase_as_suppliers_offer_it(phase: str, kind: str, code: PhaseCode | None) -> None:
    assert phase_code(phase, kind) is code


BEFORE, DAY, AFTER = date(2020, 8, 31), date(2024, 1, 1), date(2024, 9, 1)


def test_a_status_that_was_told_stays_and_takes_the_days_that_a_file_tells() -> None:
    told = Lifetime("open_proposed_to_close", BEFORE, None)
    assert lifetime(told, None, AFTER, BEFORE, DAY) == told._replace(closed_on=AFTER)


@pytest.mark.parametrize("known", [None, Lifetime("closed", None, BEFORE, guessed=True)])
def test_a_status_is_guessed_anew_from_days_and_links(known: Lifetime | None) -> None:
    assert lifetime(known, None, None, None, DAY) == ("open", None, None, True)
    assert lifetime(known, AFTER, None, None, DAY) == ("proposed_to_open", AFTER, None, True)
    assert lifetime(known, None, None, BEFORE, DAY) == ("closed", None, BEFORE, True)
    assert lifetime(known, BEFORE, AFTER, BEFORE, DAY) == ("open", BEFORE, AFTER, True)
    assert lifetime(known, BEFORE, DAY, None, DAY) == ("closed", BEFORE, DAY, False), "the day tells it"


def test_days_that_were_told_stay_known_beside_a_guess() -> None:
    guess = Lifetime("open", BEFORE, AFTER, guessed=True)
    assert lifetime(guess, None, None, None, DAY) == guess
    assert lifetime(guess, None, None, None, AFTER) == ("closed", BEFORE, AFTER, False)
