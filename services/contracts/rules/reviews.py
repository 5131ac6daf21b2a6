"""Reviews: red, amber, green for each objective, with DfE's meanings (METHOD.md 3.10, RISE reviews)."""

from dataclasses import dataclass
from enum import StrEnum

from services.kernel.errors import Unprocessable


class Rag(StrEnum):
    """How an objective goes.

    Green: on track, and the changes hoped for are likely. Amber: at risk, but achievable with timely action.
    Red: off track, and unlikely without a major intervention. Grey: the figures do not say.
    """

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


ORDER = (Rag.GREEN, Rag.AMBER, Rag.RED)


class OverrideTooFar(Unprocessable):
    """Judgement moves a rating by one step at most, and says why."""

    code = "override_too_far"
    title = "The rating strays from the figures"


@dataclass(frozen=True, slots=True)
class Figure:
    """What the figures say of an objective: the rating and how far it is from its path, in standard errors."""

    rag: Rag
    z: float | None


def rated(code: str, figure: Rag, judged: Rag | None, reason: str | None) -> Rag:
    """The rating that counts: that of the figures, or a judgement one step from it for a recorded reason.

    Where the figures do not say, judgement rates alone, and gives its reason. Raises OverrideTooFar.
    """
    if judged is None or judged is figure:
        return figure
    if not reason:
        raise OverrideTooFar(f"{code}: the figures say {figure}; say why it is rated {judged}.")
    if judged is Rag.GREY:
        raise OverrideTooFar(f"{code}: the figures say {figure}; judgement cannot take that back.")
    if figure is not Rag.GREY and abs(ORDER.index(judged) - ORDER.index(figure)) > 1:
        raise OverrideTooFar(f"{code}: the figures say {figure}; judgement moves a rating by one step.")
    return judged


def red_review(before: Figure | None, now: Figure) -> bool:
    """Whether two ambers in a row, the second further off the path, call for a look as if it were red."""
    if before is None or before.z is None or now.z is None:
        return False
    return before.rag is Rag.AMBER and now.rag is Rag.AMBER and now.z < before.z
