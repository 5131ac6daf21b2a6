"""How far published figures may be off: what a release says of its rounding, and what the catalogue says otherwise."""

from dataclasses import replace

import numpy as np

from services.outcomes.columns import NOTHING
from services.outcomes.observed import half_widths
from services.outcomes.rules.measures import MEASURES


def test_each_release_has_the_half_width_of_its_last_place() -> None:
    told = [replace(NOTHING, decimals=places) for places in (None, 0, 1, 5)]
    found = half_widths(MEASURES["KS4_EM95"], told)
    assert np.allclose(found, [0.5, 0.5, 0.05, 0.000005, 0.5])
    assert np.allclose(half_widths(MEASURES["KS4_A8"], told[:1]), [0.05, 0.05])
