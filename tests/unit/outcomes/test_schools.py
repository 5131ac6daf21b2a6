import pytest

from services.outcomes.rules.schools import PhaseCode, mainstream, phase_code, selective


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
