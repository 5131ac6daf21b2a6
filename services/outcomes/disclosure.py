"""Who may see results that would tell others of single pupils."""

from services.kernel.auth import Caller
from services.kernel.types import Kind


def entitled(caller: Caller, *, urn: int, region: str, la_code: str, trust_uid: str | None) -> bool:
    """Whether the caller sees every result of a school: DfE, a commissioner of its area, and who answers for it now."""
    if caller.kind in {Kind.DFE, Kind.SERVICE}:
        return True
    if caller.kind is Kind.COMMISSIONER:
        return region in caller.regions or la_code in caller.la_codes
    return str(urn) in caller.urns or (trust_uid is not None and trust_uid == caller.trust_uid)
