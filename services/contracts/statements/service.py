"""Telling the ledger over: for each contract what its accounts held, what moved, and what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.ledger.queries import entries
from services.contracts.models import Contract
from services.contracts.rules.documents.lines import pounds
from services.contracts.rules.documents.tables import Cell, csv_bytes
from services.contracts.rules.ledger import Account
from services.contracts.rules.statement import Entry, Line, accounts, movements
from services.contracts.statements import queries
from services.contracts.statements.schemas import ContractStatement, LineOut, MovementOut, Statement

HEAD = ("day", "contract", "kind", "code", "from", "to", "amount", "reason", "claim")


async def tell(
    session: AsyncSession, *, of: str, contracts: Sequence[Contract], first: date | None, last: date
) -> Statement:
    """The statement of contracts over days from the first to the last."""
    ids = [each.id for each in contracts]
    rows, references = await entries(session, contract_ids=ids), await queries.claim_references(session, ids)
    told = []
    for contract in contracts:
        own = [
            Entry(
                row.journal_id,
                row.occurred_on,
                row.kind,
                row.code,
                Account(row.account),
                row.amount_pence,
                row.reason,
                references.get(row.claim_id) if row.claim_id else None,
            )
            for row in rows
            if row.contract_id == contract.id
        ]
        told.append(one(contract, own, first, last))
    return Statement(**{"of": of, "from": first, "until": last, "contracts": told, "totals": together(told)})


def one(contract: Contract, entries: Sequence[Entry], first: date | None, last: date) -> ContractStatement:
    """The statement of one contract."""
    moved = [
        MovementOut.model_validate({**asdict(each), "from": each.source, "to": each.target})
        for each in movements(entries)
        if (first is None or each.occurred_on >= first) and each.occurred_on <= last
    ]
    return ContractStatement(
        contract_id=contract.id,
        reference=contract.reference,
        title=contract.title,
        value_pence=contract.value_pence,
        accounts=shown(accounts(entries, first, last)),
        movements=sorted(moved, key=lambda each: each.occurred_on),
    )


def shown(found: Mapping[Account, Line]) -> dict[Account, LineOut]:
    """Accounts as the answer has them."""
    return {account: LineOut(**asdict(line)) for account, line in found.items()}


def together(told: Sequence[ContractStatement]) -> dict[Account, LineOut]:
    """Every account over all contracts."""
    names = tuple(LineOut.model_fields)
    return {
        account: LineOut(**{name: sum(getattr(each.accounts[account], name) for each in told) for name in names})
        for account in Account
    }


def as_csv(statement: Statement) -> bytes:
    """A row for what each account held at the beginning, for every movement, and for what it holds at the end."""
    rows: list[Sequence[Cell]] = [HEAD]
    for each in statement.contracts:
        rows += held(each, "opening", statement.first)
        rows += [moved(each, movement) for movement in each.movements]
        rows += held(each, "closing", statement.until)
    return csv_bytes(rows)


def held(contract: ContractStatement, words: str, day: date | None) -> list[Sequence[Cell]]:
    """What every account held at one end of a statement."""
    amounts = {account: getattr(line, f"{words}_pence") for account, line in contract.accounts.items()}
    return [
        (day, contract.reference, "", "", "", account.value, pounds(amount), words, "")
        for account, amount in amounts.items()
    ]


def moved(contract: ContractStatement, movement: MovementOut) -> Sequence[Cell]:
    """One movement."""
    accounts = (movement.source.value, movement.target.value)
    part = (movement.occurred_on, contract.reference, movement.kind, movement.code)
    return (*part, *accounts, pounds(movement.amount_pence), movement.reason, movement.claim)
