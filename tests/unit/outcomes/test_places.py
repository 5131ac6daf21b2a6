from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.places import Place, distance_km, place

metres = st.integers(1, 1_300_000)
places = st.builds(Place, metres, metres)


def test_three_four_five() -> None:
    assert distance_km(Place(400_000, 300_000), Place(403_000, 304_000)) == 5.0


def test_preston_station_to_manchester_piccadilly_is_27_miles() -> None:
    assert round(distance_km(Place(353_400, 429_000), Place(384_800, 397_800)) / 1.609344) in {27, 28}


def test_a_place_is_known_only_with_both_of_its_numbers() -> None:
    assert place(352_690, 432_551) == Place(352_690, 432_551)
    assert place(None, 432_551) is None
    assert place(352_690, None) is None


@given(places, places, places)
def test_distance_is_a_distance(one: Place, other: Place, third: Place) -> None:
    assert distance_km(one, one) == 0
    assert distance_km(one, other) == distance_km(other, one)
    assert distance_km(one, third) <= distance_km(one, other) + distance_km(other, third) + 1e-9
