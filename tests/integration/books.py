"""What tests of money share: hands of both sides, claims at each point of their life, and the ledger as it is."""

from dataclasses import dataclass

from services.contracts.rules.ledger import Account, standing
from services.demo import cast
from services.kernel.types import Kind
from tests.integration.scenes import Actors
from tests.world import Actor, Json, World

FINANCE: Json = {
    "vat_category": "O",
    "vat_reason": "Grant-like funding, outside the scope of VAT",
    "seller_endpoint": {"scheme": "0088", "id": "5060000000009"},
    "buyer_endpoint": {"scheme": "9932", "id": "GB888801003"},
    "buyer_reference": "RSC-2023-17",
    "customer_account": "RSCNW",
    "account_code": "510320",
    "cost_centre": "SI01",
    "fund": "GAG",
}


@dataclass
class Hands:
    """Credentials of both sides: one prepares and another certifies, one approves and another pays."""

    prepares: Actor
    certifies: Actor
    approves: Actor
    pays: Actor


async def hands_of(world: World, actors: Actors) -> Hands:
    """A second key of the trust, and a second system of the commissioner."""
    payer = await world.client(Kind.COMMISSIONER, regions=[cast.REGION], organisation="rsc-north-west")
    return Hands(actors["finance"], await world.key(cast.SUPPLIER), actors["rsc"], payer)


async def set_finance(actor: Actor, path: str, **changes: Json) -> Json:
    """The trust says how it invoices the contract."""
    tag = (await actor.ask("GET", f"{path}/finance")).headers.get("etag")
    answer = await actor.ask("PUT", f"{path}/finance", json=FINANCE | changes, headers={"If-Match": tag} if tag else {})
    assert answer.status_code == (200 if tag else 201), answer.text
    return answer.json()


async def submitted(hands: Hands, path: str, *codes: str) -> str:
    """The path of a claim for milestones or instalments by code; without any, for everything earned."""
    body: Json = {"contract_id": path.rpartition("/")[2], "prepared_by": "P. Reparer"}
    if codes:
        body["items"] = [{"kind": "fee" if "FEE" in code else "milestone", "code": code} for code in codes]
    return f"/v1/claims/{(await hands.prepares.post('/v1/claims', body))['id']}"


async def certified(hands: Hands, path: str, *codes: str) -> str:
    """The path of a claim that was certified."""
    claim = await submitted(hands, path, *codes)
    await hands.certifies.change(claim, "certification", {"signed_by": "C. Ertifier"})
    return claim


async def approved(hands: Hands, path: str, *codes: str) -> str:
    """The path of a claim that was approved."""
    claim = await certified(hands, path, *codes)
    await hands.approves.change(claim, "approval", {"signed_by": "A. Pprover"})
    return claim


async def invoice_of(actor: Actor, claim: str, series: str = "INV") -> Json:
    """The invoice, or the latest credit note, of a claim."""
    found = (await actor.get("/v1/invoices", claim_id=claim.rpartition("/")[2]))["data"]
    return [each for each in found if each["series"] == series][-1]


async def pay(hands: Hands, claim: str, day: str, expect: int = 200, **changes: Json) -> Json:
    """Pay a claim what its invoice asks for."""
    asked = (await invoice_of(hands.pays, claim))["gross_pence"]
    body = {"signed_by": "P. Ayer", "paid_on": day, "amount_pence": asked, "reference": "BACS 0042"} | changes
    return await hands.pays.change(claim, "payment", body, expect)


async def paid(hands: Hands, path: str, day: str, *codes: str) -> str:
    """The path of a claim that was paid on a day."""
    claim = await approved(hands, path, *codes)
    await pay(hands, claim, day)
    return claim


async def payments(actor: Actor, path: str) -> dict[str, Json]:
    """The payments of a contract by code."""
    return {each["code"]: each for each in (await actor.get(f"{path}/payments"))["data"]}


def ledger(world: World) -> dict[tuple[str, str], dict[Account, int]]:
    """What each account holds of each part, reckoned here from the raw entries."""
    found: dict[tuple[str, str], dict[Account, int]] = {}
    for contract, kind, code, account, amount in world.rows(
        "SELECT contract_id::text, kind, code, account, amount_pence FROM contracts.ledger_entry"
    ):
        pile = found.setdefault((f"{contract}/{kind}", code), {})
        pile[Account(account)] = pile.get(Account(account), 0) + amount
    return found


def check_books(world: World) -> None:
    """The ledger balances, and every payment shows what it says."""
    assert world.rows("SELECT journal_id FROM contracts.ledger_entry GROUP BY 1 HAVING sum(amount_pence) <> 0") == []
    held = ledger(world)
    shown = world.rows(
        "SELECT contract_id::text, kind, code, amount_pence, status, earned_pence, paid_pence, retained_pence,"
        " reduced_pence FROM contracts.payment"
    )
    for contract, kind, code, amount, *row in shown:
        pile = held[f"{contract}/{kind}", code]
        found = standing(pile)
        assert -pile[Account.VALUE] == amount
        assert row == [
            found.status,
            found.earned_pence,
            found.paid_pence,
            found.retained_pence,
            found.reduced_pence,
        ], (code, pile)
