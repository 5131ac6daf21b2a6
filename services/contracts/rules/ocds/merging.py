"""How releases add up to a compiled release, and the least that must be said for them to do so (OCDS 1.1, merging).

Objects merge by name, lists of objects by `id`, all else is replaced, and null takes a member away. No entry is ever
taken back: a state keeps every `id` that was once published.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Any
OWN = frozenset({"ocid", "id", "date", "tag", "initiationType", "language"})
"""What a release says of itself; it is not part of the state."""
NEEDED = frozenset({"id", "awardID"})
"""What the schema wants in every entry of a list, changed or not."""


def identified(value: Json) -> bool:
    """Whether a value is a list of objects that merge by their `id`."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "id" in each for each in value)


def merged(before: Json, after: Json) -> Json:
    """A value once another release has said something about it."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = dict(before)
        for name, value in after.items():
            found[name] = merged(before.get(name), value)
        return {name: value for name, value in found.items() if value is not None}
    if identified(before) and identified(after):
        kept = {each["id"]: each for each in before}
        for each in after:
            kept[each["id"]] = merged(kept.get(each["id"], {}), each)
        return list(kept.values())
    return after


def difference(before: Json, after: Json) -> Json:
    """What to say so that `merged(before, what is said)` is `after`; None when nothing."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = {
            name: said for name, value in after.items() if (said := difference(before.get(name), value)) is not None
        }
        found |= {name: None for name, value in after.items() if value is None and before.get(name) is not None}
        return found or None
    if identified(before) and identified(after):
        return entries(before, after) or None
    return None if before == after else after


def entries(before: Sequence[dict[str, Json]], after: Sequence[dict[str, Json]]) -> list[dict[str, Json]]:
    """The entries of a list that are new or have changed, each with what tells it apart."""
    known, found = {each["id"]: each for each in before}, []
    for each in after:
        said = difference(known.get(each["id"]), each)
        if said is not None:
            found.append({**{name: each[name] for name in each if name in NEEDED}, **said})
    return found


def compiled(releases: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """The compiled release: the state that the releases, in the order of their dates, add up to."""
    ordered = sorted(releases, key=lambda release: str(release["date"]))
    state: dict[str, Json] = {}
    for release in ordered:
        state = merged(state, {name: value for name, value in release.items() if name not in OWN})
    last, first = ordered[-1], ordered[0]
    head = {"ocid": last["ocid"], "id": f"{last['ocid']}-{last['date']}", "date": last["date"], "tag": ["compiled"]}
    return {**head, "language": first["language"], "initiationType": first["initiationType"], **state}
