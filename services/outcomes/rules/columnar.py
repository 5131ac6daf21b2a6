"""Many records at once: kept as columns, each different value worked on once."""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeVar, overload

Record = TypeVar("Record")


class Once(dict[Any, Any]):
    """What a function gives for each different value: `map(Once(f).__getitem__, values)` calls it once for each."""

    def __init__(self, of: Callable[[Any], Any]) -> None:
        super().__init__()
        self.of = of

    def __missing__(self, value: Any) -> Any:
        found = self[value] = self.of(value)
        return found


class Records(Sequence[Record]):
    """Named tuples of one kind that are kept as columns, and made when they are asked for."""

    def __init__(self, kind: Any, columns: Sequence[Sequence[Any]]) -> None:
        self.kind, self.columns = kind, columns

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    @overload
    def __getitem__(self, at: int) -> Record: ...

    @overload
    def __getitem__(self, at: slice) -> "Records[Record]": ...

    def __getitem__(self, at: int | slice) -> Any:
        found = [column[at] for column in self.columns]
        return Records(self.kind, found) if isinstance(at, slice) else self.kind._make(found)

    def __iter__(self) -> Iterator[Record]:
        return map(self.kind._make, zip(*self.columns, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def column(self, name: str) -> Sequence[Any]:
        """What all of them have in a field."""
        return self.columns[self.kind._fields.index(name)]


def column(records: Sequence[Any], name: str) -> Sequence[Any]:
    """What all records have in a field."""
    if isinstance(records, Records):
        return records.column(name)
    return list(map(attrgetter(name), records))
