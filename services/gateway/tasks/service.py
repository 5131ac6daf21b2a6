"""What owners do with their steps, and how a list moves to a newer template."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.grounds.service import new_step
from services.gateway.joining import Transfer, TransferStep
from services.gateway.rules import steps as rules
from services.gateway.rules.circumstances import UNTOLD, Circumstance, Known
from services.gateway.rules.facts import Said
from services.gateway.rules.list_versions import moved_to
from services.gateway.rules.templates import TEMPLATE_VERSION, TEMPLATES
from services.gateway.rules.transfer import ROLES, Move, Role, Route, Status, TransferNotAllowed, check_way_back, moved
from services.gateway.tasks.schemas import CompletionIn, Outcome
from services.gateway.transfers import queries
from services.gateway.transfers.effect import check_again, past_return, tell, unmet_conditions, wake
from services.kernel.auth import Caller
from services.kernel.errors import NotFound, Unprocessable
from services.kernel.types import london_date, plain


async def found_step(session: AsyncSession, row: Transfer, key: str) -> tuple[TransferStep, list[TransferStep]]:
    """The step with this key, and the whole list; raises NotFound, or TransferNotAllowed where the list is closed."""
    listed = await queries.steps(session, row.id)
    step = next((each for each in listed if each.key == key), None)
    if step is None:
        raise NotFound("No such step.")
    if row.status == Status.CANCELLED:
        raise TransferNotAllowed("The transfer was given up; its steps stay as they are.", allowed=[])
    return step, listed


async def complete(
    session: AsyncSession, *, row: Transfer, key: str, body: CompletionIn, caller: Caller, now: datetime
) -> Transfer:
    """The owner of a step has finished it, or says with a reason that it does not apply."""
    step, listed = await found_step(session, row, key)
    statuses = {each.key: each.status for each in listed}
    done = body.status is Outcome.DONE
    if not done and not body.reason:
        raise Unprocessable("Say why the step does not apply.", errors=[{"pointer": "/reason"}])
    if body.done_on is not None and body.done_on > london_date(now):
        raise Unprocessable("done_on lies in the future.", errors=[{"pointer": "/done_on"}])
    waiting = rules.waiting_for(step.depends_on, statuses)
    if step.gate and step.section != rules.Section.AFTER and not waiting:
        waiting = await unmet_conditions(session, row)
    rules.check_completion(
        owner=Role(step.owner),
        role=ROLES[caller.kind],
        status=step.status,
        optional=step.optional,
        applicable=done,
        waiting=waiting,
    )
    rules.check_answer(step.asks, body.identifiers(), row.school_urn, done=done)
    step.status, step.reason, step.finished_at, step.finished_by = body.status, body.reason, now, caller.actor()
    step.answer = plain(body.model_dump(exclude={"status", "reason"}, exclude_none=True)) or None
    session.add(step)
    said: Said = ({}, {"reason": step.reason, "answer": step.answer})
    await tell(session, row, "transfer.step", caller, now, said=said, step=key, step_status=step.status)
    await wake(session, row, now)
    if step.gate:
        await check_again(session, row)
    return row


async def reopen(
    session: AsyncSession, *, row: Transfer, key: str, reason: str, caller: Caller, now: datetime
) -> Transfer:
    """The owner of a finished step opens it again, before the day; what rests on it has to be opened first."""
    step, listed = await found_step(session, row, key)
    rules.check_owner(Role(step.owner), ROLES[caller.kind])
    if step.section != rules.Section.AFTER:
        check_way_back(await past_return(session, row))
    followers = {each.key: each.status for each in listed if key in each.depends_on}
    rules.check_reopening(owner=Role(step.owner), role=ROLES[caller.kind], status=step.status, followers=followers)
    step.status, step.reason, step.answer, step.finished_at, step.finished_by = "open", reason, None, None, None
    session.add(step)
    await tell(session, row, "transfer.step_reopened", caller, now, said=({}, {"reason": reason}), step=key)
    return row


async def renew(session: AsyncSession, *, row: Transfer, caller: Caller, now: datetime) -> Transfer:
    """Move the list to the template in force: answers stay with their steps, also where these have other names now.

    What the new template no longer asks for stays on the list as it was answered, or as not applicable.
    """
    moved(Status.PROPOSED, Move.CANCEL, ROLES[caller.kind])
    check_way_back(await past_return(session, row))
    if row.template_version == TEMPLATE_VERSION or row.status == Status.CANCELLED:
        raise TransferNotAllowed(f"Its task list is that of template {row.template_version} and stays so.", allowed=[])
    listed = {each.key: each for each in await queries.steps(session, row.id)}
    template = TEMPLATES[Route(row.route)]
    change = moved_to(template, list(listed))
    for new, old in change.renamed.items():
        session.expunge(listed[old])
        renamed = update(TransferStep).where(col(TransferStep.transfer_id) == row.id, col(TransferStep.key) == old)
        await session.execute(renamed.values(key=new))
    present = {each.key: each for each in await queries.steps(session, row.id)}
    known = {Circumstance(name): Known(**each) for name, each in row.evidence.get("circumstances", {}).items()}
    told = dict.fromkeys(Circumstance, UNTOLD) | known
    for place, step in enumerate(template):
        fresh = new_step(row.id, place, step, told, now)
        if step.key in present:
            follow(present[step.key], fresh)
        else:
            session.add(fresh)
    for place, key in enumerate(change.dropped, start=len(template)):
        drop(present[key], place, now)
    before, row.template_version = row.template_version, TEMPLATE_VERSION
    facts: dict[str, Any] = {"template_from": before, "template_to": TEMPLATE_VERSION, "renamed": change.renamed}
    await tell(session, row, "transfer.template", caller, now, **facts)
    return row


def follow(step: TransferStep, fresh: TransferStep) -> None:
    """What the new template says of a step that was there before; its answer stays its own."""
    names = (
        "place",
        "title",
        "section",
        "owner",
        "actor",
        "document",
        "depends_on",
        "asks",
        "gate",
        "optional",
        "known",
    )
    for name in names:
        setattr(step, name, getattr(fresh, name))


def drop(step: TransferStep, place: int, now: datetime) -> None:
    """A step that the new template does not have: it holds nothing back, and stays to be read."""
    step.place, step.depends_on, step.gate, step.optional = place, [], False, True
    if step.status == "open":
        step.status, step.reason = "not_applicable", "No longer part of the task list."
        step.finished_at, step.finished_by = now, {"source": "template"}
