"""Bodies about the log."""

from pydantic import BaseModel

from services.kernel.bodies import Paging


class EntryOut(BaseModel):
    """A leaf in its place. `data` (base64) and `salt` are null where the leaf is about what is not the caller's.

    `salt` is that of the hashes in the leaf; it is null also where there is none, or where it was erased.
    """

    index: int
    leaf_hash: str
    data: str | None
    salt: str | None


class EntryPage(BaseModel):
    """Entries in their order; `paging.next` is the `start` of the next page."""

    data: list[EntryOut]
    paging: Paging


class InclusionOut(BaseModel):
    """The list of hashes (base64) by which a leaf's hash leads to the root of a tree (RFC 9162, 2.1.3)."""

    leaf_index: int
    leaf_hash: str
    tree_size: int
    root_hash: str
    hashes: list[str]


class ConsistencyOut(BaseModel):
    """The list of hashes (base64) by which the first tree is the beginning of the second (RFC 9162, 2.1.4)."""

    first: int
    second: int
    first_root_hash: str
    second_root_hash: str
    hashes: list[str]
