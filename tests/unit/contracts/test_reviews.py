"""Red, amber, green: by the figures, or one step beside them."""

from itertools import product

import pytest

from services.contracts.rules.reviews import Figure, OverrideTooFar, Rag, rated, red_review

G, A, R, X = Rag.GREEN, Rag.AMBER, Rag.RED, Rag.GREY
ONE_STEP = {(G, A), (A, G), (A, R), (R, A), (X, G), (X, A), (X, R)}


@pytest.mark.parametrize(("figure", "judged"), list(product(Rag, Rag)))
def test_judgement_moves_a_rating_by_one_step_for_a_reason(figure: Rag, judged: Rag) -> None:
    assert rated("O1", figure, None, None) is figure
    if figure is judged:
        assert rated("O1", figure, judged, None) is figure
        return
    with pytest.raises(OverrideTooFar, match="say why"):
        rated("O1", figure, judged, None)
    if (figure, judged) in ONE_STEP:
        assert rated("O1", figure, judged, "seen in lessons") is judged
        return
    with pytest.raises(OverrideTooFar) as refused:
        rated("O1", figure, judged, "seen in lessons")
    assert refused.value.status == 422


def test_a_second_amber_further_off_is_looked_at_as_if_it_were_red() -> None:
    assert red_review(Figure(A, -0.2), Figure(A, -0.9))
    assert not red_review(Figure(A, -0.9), Figure(A, -0.2))
    assert not red_review(Figure(A, -0.9), Figure(A, -0.9))
    assert not red_review(None, Figure(A, -0.9))
    for before, now in ((Figure(A, None), Figure(A, -1.0)), (Figure(A, -0.2), Figure(A, None))):
        assert not red_review(before, now)
    for first, second in product(Rag, Rag):
        assert red_review(Figure(first, -0.2), Figure(second, -0.9)) is (first is A and second is A)
