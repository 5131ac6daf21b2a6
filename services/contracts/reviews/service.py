"""Holding a review: what the figures say, what was judged, and why."""

from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.conduct import Review
from services.contracts.events import tell
from services.contracts.models import Contract, Outcome
from services.contracts.reviews import queries
from services.contracts.reviews.schemas import ObjectiveIn, ReviewIn
from services.contracts.rules.life import ROLES, MoveNotAllowed, NotTheirMove, Role, Status
from services.contracts.rules.reviews import Figure, Rag, rated, red_review
from services.contracts.rules.terms import BadTerms
from services.kernel.auth import Caller
from services.kernel.types import london_date


def may_review(row: Contract, caller: Caller) -> None:
    """Raise unless the commissioner reviews a contract that runs, and whose reviews no suspension stops."""
    if ROLES[caller.kind] is not Role.COMMISSIONER:
        raise NotTheirMove("Reviews are for the commissioner to record.")
    if row.status not in {Status.ACTIVE, Status.SUSPENDED}:
        raise MoveNotAllowed(f"A contract that is {row.status} is not reviewed.", status_now=row.status)
    if row.suspension is not None and row.suspension["stops"]["reviews"]:
        raise MoveNotAllowed("The suspension of this contract stops its reviews.", status_now=row.status)


async def review(
    session: AsyncSession,
    *,
    row: Contract,
    body: ReviewIn,
    outcomes: list[Outcome],
    figures: list[dict[str, Any]],
    caller: Caller,
    now: datetime,
) -> Review:
    """Record a review of every agreed outcome; `figures` are what the outcomes service says of each."""
    may_review(row, caller)
    if body.reviewed_on > london_date(now) or body.reviewed_on < row.starts_on:
        words = "A review is dated within the term, and not in the future."
        raise BadTerms(words, errors=[{"pointer": "/reviewed_on"}])
    judged = {each.code: each for each in body.objectives}
    unknown = sorted(judged.keys() - {each.code for each in outcomes})
    if unknown or len(judged) < len(body.objectives):
        words = f"Rate each agreed outcome once; not known: {', '.join(unknown) or 'none'}."
        raise BadTerms(words, errors=[{"pointer": "/objectives"}])
    held = await queries.reviews(session, row.id)
    last = {each["code"]: Figure(Rag(each["rag"]), each["z"]) for each in held[-1].objectives} if held else {}
    made = Review(
        contract_id=row.id,
        number=len(held) + 1,
        objectives=[objective(each, judged.get(each["code"]), last.get(each["code"])) for each in figures],
        recorded_at=now,
        **body.model_dump(exclude={"objectives"}),
    )
    session.add(made)
    ratings = {each["code"]: each["rag"] for each in made.objectives}
    await tell(session, row, "contract.reviewed", caller, now, number=made.number, ratings=ratings)
    return made


def objective(figure: dict[str, Any], judged: ObjectiveIn | None, before: Figure | None) -> dict[str, Any]:
    """One outcome as it is kept: both ratings, and whether a second amber calls for another look."""
    said = Rag(figure["rag"])
    final = rated(figure["code"], said, judged.rag if judged else None, judged.reason if judged else None)
    shown = ("code", "z", "expected", "actual", "n", "reasons", "releases")
    return {
        **{name: figure[name] for name in shown},
        "figures": said.value,
        "rag": final.value,
        "reason": judged.reason if judged else None,
        "details": judged.details if judged else None,
        "red_review": red_review(before, Figure(final, figure["z"])),
    }
