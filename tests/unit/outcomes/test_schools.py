import pytest

from services.outcomes.rules.schools import mainstream, selective


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
