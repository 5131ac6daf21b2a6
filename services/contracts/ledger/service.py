"""Writing the ledger: each move is a journal of two entries, and the payment shows what the ledger then says."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import LedgerEntry
from services.contracts.ledger import queries
from services.contracts.models import Payment
from services.contracts.rules.ledger import Account, Move, check_held, moved, standing
from services.contracts.rules.life import Role
from services.kernel.types import uuid7

IN_CLAIMS = frozenset({Account.CLAIMED, Account.CERTIFIED, Account.APPROVED, Account.PAID, Account.OWED})
"""Accounts whose money belongs to a claim."""
ENTRIES = text(
    "INSERT INTO contracts.ledger_entry (id, journal_id, contract_id, kind, code, account, claim_id, amount_pence,"
    " occurred_on, reason, cause_id, recorded_at) SELECT * FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS"
    " (id uuid, journal_id uuid, contract_id uuid, kind text, code text, account text, claim_id uuid,"
    " amount_pence bigint, occurred_on date, reason text, cause_id uuid, recorded_at timestamptz)"
)
BACKWARDS = frozenset({Move.UNEARN, Move.RETURN, Move.REDUCE, Move.WITHHOLD, Move.REVERSE})
"""Moves whose reason stays with the payment until it is earned again."""
Entry = dict[str, Any]
Keep = Callable[[Entry], None]


class Book:
    """The ledger of one contract, open for writing; the contract is locked, so what it holds does not change under us.

    `on` is the London date on which what is written happened; `keep` is told each entry, as the values of its columns.
    """

    def __init__(self, keep: Keep, contract_id: UUID, held: queries.Held, on: date, now: datetime) -> None:
        self.keep, self.contract_id, self.by_claim = keep, contract_id, held
        self.on, self.now = on, now

    def held(self, payment: Payment) -> dict[Account, int]:
        """What each account holds of a payment, in pence."""
        found: dict[Account, int] = {}
        for (account, _claim), amount in self.by_claim[payment.kind, payment.code].items():
            found[account] = found.get(account, 0) + amount
        return found

    def claims_holding(self, payment: Payment, *accounts: Account) -> dict[UUID, int]:
        """The claims in which these accounts hold something of a payment, oldest first, and how much together."""
        found: dict[UUID, int] = {}
        for (account, claim_id), amount in self.by_claim[payment.kind, payment.code].items():
            if account in accounts and claim_id is not None:
                found[claim_id] = found.get(claim_id, 0) + amount
        return {claim_id: found[claim_id] for claim_id in sorted(found) if found[claim_id]}

    def in_claim(self, claim_id: UUID, account: Account) -> int:
        """What an account holds in a claim, in pence."""
        return sum(each.get((account, claim_id), 0) for each in self.by_claim.values())

    def promise(self, payment: Payment, amount_pence: int) -> None:
        """Money is promised, or with a minus no longer promised, before anything of it was earned."""
        self.write(payment, Account.VALUE, Account.SCHEDULED, amount_pence, "agreed", None, None)

    def post(
        self,
        payment: Payment,
        source: Account,
        step: Move,
        amount_pence: int,
        *,
        role: Role,
        reason: str,
        claim_id: UUID | None = None,
        cause_id: UUID | None = None,
    ) -> None:
        """Move money of a payment; raises NotTheirMove, MoveNotAllowed or NotSoMuch."""
        target = moved(source, step, role)
        pile = self.by_claim[payment.kind, payment.code]
        accounts = {account: pile.get((account, claim_id if account in IN_CLAIMS else None), 0) for account in Account}
        check_held(accounts, source, amount_pence)
        self.write(payment, source, target, amount_pence, reason, claim_id, cause_id)
        if step in BACKWARDS:
            payment.reason_code = reason[:40]
        elif step is Move.EARN:
            payment.reason_code, payment.earned_on = None, self.on

    def hand_over(
        self, payment: Payment, account: Account, amount_pence: int, giver: UUID, taker: UUID, reason: str
    ) -> None:
        """Money goes from one claim to another and stays in its account."""
        pile = self.by_claim[payment.kind, payment.code]
        check_held({account: pile.get((account, giver), 0)}, account, amount_pence)
        self.enter(payment, ((account, giver, -amount_pence), (account, taker, amount_pence)), reason, None)

    def write(
        self,
        payment: Payment,
        source: Account,
        target: Account,
        amount_pence: int,
        reason: str,
        claim_id: UUID | None,
        cause_id: UUID | None,
    ) -> None:
        """Write the move of money from one account to another."""
        legs = ((source, -amount_pence), (target, amount_pence))
        sides = [(account, claim_id if account in IN_CLAIMS else None, amount) for account, amount in legs]
        self.enter(payment, sides, reason, cause_id)

    def enter(
        self, payment: Payment, sides: Iterable[tuple[Account, UUID | None, int]], reason: str, cause_id: UUID | None
    ) -> None:
        """Write a journal, and on the payment what the ledger says of it after that."""
        pile = self.by_claim[payment.kind, payment.code]
        journal = {
            "journal_id": uuid7(),
            "contract_id": self.contract_id,
            "kind": payment.kind,
            "code": payment.code,
            "occurred_on": self.on,
            "reason": reason,
            "cause_id": cause_id,
            "recorded_at": self.now,
        }
        for account, claim_id, amount in sides:
            pile[account, claim_id] = pile.get((account, claim_id), 0) + amount
            self.keep({"id": uuid7(), "account": account, "claim_id": claim_id, "amount_pence": amount, **journal})
        self.show(payment)

    def show(self, payment: Payment) -> None:
        """Bring what the payment shows to what the ledger says."""
        found = standing(self.held(payment))
        for name in ("earned_pence", "paid_pence", "retained_pence", "reduced_pence"):
            setattr(payment, name, getattr(found, name))
        payment.status, payment.updated_at = found.status, self.now
        if found.earned_pence == 0:
            payment.earned_on = payment.due_on = None


async def open_book(session: AsyncSession, contract_id: UUID, on: date, now: datetime) -> Book:
    """The ledger of a contract that is locked, to write what happened on a day."""
    await session.flush()
    held = (await queries.balances(session, [contract_id]))[contract_id]
    return Book(lambda entry: session.add(LedgerEntry(**entry)), contract_id, held, on, now)


async def keep_entries(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Write entries of many contracts at once."""
    if entries:
        await session.execute(ENTRIES, {"entries": to_json(entries).decode()})
