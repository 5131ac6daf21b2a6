"""The log as anybody with a right to read it may check it: checkpoints, entries and proofs."""

from base64 import b64decode, b64encode
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from services.gateway.log import queries
from services.gateway.log.schemas import ConsistencyOut, EntryOut, EntryPage, InclusionOut
from services.gateway.rules import tree
from services.kernel.auth import Caller, require
from services.kernel.bodies import ways
from services.kernel.errors import BadRequest, NotFound
from services.kernel.http import Session
from services.kernel.openapi import problems

router = APIRouter(prefix="/v1/log", tags=["log"])
Reader = Annotated[Caller, require("log:read")]
MOST = 1000
Number = Annotated[int, Query(ge=0, lt=2**62)]
Hash = Annotated[
    str,
    Query(
        pattern=r"^(?:[0-9a-f]{64}|[A-Za-z0-9+/]{43}=)$",
        description="Hash of the leaf: hexadecimal, as records show it, or base64",
        examples=["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
    ),
]
NOTE = (
    "ringfence.education/log\n8\nXcnaeacGWamtVZyze20e2aKrn4I60slgz+Nw7/RgQyg=\n\n— ringfence.education/log bO6T0A==\n"
)


class OneOfTwo(BadRequest):
    """A leaf is named by its hash or by its place."""

    code = "one_of_two"
    title = "Name the leaf in one way"


@router.get(
    "/checkpoint",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"example": NOTE}}}, **problems(404)},
)
async def read_checkpoint(caller: Reader, session: Session) -> PlainTextResponse:
    """What the log says of itself now, signed: its name, how many leaves it has, the root of their tree.

    A note in the form of C2SP tlog-checkpoint under an Ed25519 key, which `ringfence log key` tells in the form that
    verifiers take. Whoever keeps one can show later that nothing in the log was changed or removed since.
    """
    found = await queries.latest_checkpoint(session)
    if found is None:
        raise NotFound("The log has signed nothing yet; it begins when a worker runs.")
    return PlainTextResponse(found.note)


@router.get("/entries", response_model=EntryPage, responses=problems(404))
async def read_entries(
    request: Request,
    caller: Reader,
    session: Session,
    start: Annotated[Number, Query(description="The first entry, counted from 0")] = 0,
    end: Annotated[
        Number | None, Query(description="Up to but not including this entry; default: as many as fit")
    ] = None,
) -> JSONResponse:
    """Entries of the log by their places, at most 1000 at once; all of the hashes, and the leaves that are yours."""
    size = await queries.signed_size(session)
    last = size if end is None else end
    if start > last or last > size:
        raise NotFound(f"The log has {size} entries, counted from 0; start and end do not lie within them in order.")
    stop = min(last, start + MOST)
    found = [
        EntryOut(
            index=entry.index,
            leaf_hash=entry.leaf_hash.hex(),
            data=None if data is None else b64encode(data).decode(),
            salt=salt,
        )
        for entry, data, salt in await queries.entries(session, start, stop)
    ]
    answer = EntryPage.model_validate({"data": found, "paging": {"next": str(stop) if stop < last else None}})
    links = ways(
        request,
        next={"start": stop, "end": last} if stop < last else None,
        prev={"start": max(0, start - MOST), "end": start} if start else None,
        first={"start": None, "end": end},
    )
    return JSONResponse(answer.model_dump(mode="json"), headers=links)


@router.get("/proofs/inclusion", response_model=InclusionOut, responses=problems(400, 404))
async def prove_inclusion(
    caller: Reader,
    session: Session,
    tree_size: Annotated[Number | None, Query(description="Default: the size that was signed last")] = None,
    leaf_hash: Hash | None = None,
    index: Number | None = None,
) -> InclusionOut:
    """Prove that a leaf, named by its hash or by its place, is in the tree of this size."""
    size = await checked(session, tree_size)
    if leaf_hash is not None and index is None:
        place = await queries.index_of(session, from_text(leaf_hash))
    elif index is not None and leaf_hash is None:
        place = index
    else:
        raise OneOfTwo("Give either leaf_hash or index.")
    spans = tree.inclusion(place, size)
    leaf, root, *proof = await queries.hashes(session, [(place, place + 1), (0, size), *spans])
    return InclusionOut(
        leaf_index=place, leaf_hash=leaf.hex(), tree_size=size, root_hash=text(root), hashes=[text(h) for h in proof]
    )


@router.get("/proofs/consistency", response_model=ConsistencyOut, responses=problems(400, 404))
async def prove_consistency(
    caller: Reader,
    session: Session,
    first: Annotated[Number, Query(description="Size of the smaller tree, 1 or more")],
    second: Annotated[Number | None, Query(description="Size of the larger tree; default: signed last")] = None,
) -> ConsistencyOut:
    """Prove that the log of the first size is the beginning of that of the second: nothing was changed or removed."""
    size = await checked(session, second)
    spans = tree.consistency(first, size)
    old, new, *proof = await queries.hashes(session, [(0, first), (0, size), *spans])
    return ConsistencyOut(
        first=first,
        second=size,
        first_root_hash=text(old),
        second_root_hash=text(new),
        hashes=[text(each) for each in proof],
    )


async def checked(session: Session, size: int | None) -> int:
    """A size that the log has had; raises NotFound for one beyond what was signed."""
    signed = await queries.signed_size(session)
    if size is not None and size > signed:
        raise NotFound(f"The log has {signed} signed entries, so there is no tree of {size} yet.")
    return signed if size is None else size


def from_text(leaf_hash: str) -> bytes:
    """A hash from hexadecimal or base64."""
    return bytes.fromhex(leaf_hash) if len(leaf_hash) == 64 else b64decode(leaf_hash)


def text(digest: bytes) -> str:
    """A hash in base64, as the standard's lists of hashes are written."""
    return b64encode(digest).decode()
