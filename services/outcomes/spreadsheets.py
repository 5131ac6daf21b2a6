"""Answers as tables to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import Request, Response

from services.kernel.bodies import chosen

CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


def wants_csv(request: Request) -> bool:
    """Whether the caller asks for a table to open in a spreadsheet."""
    return chosen(request, ["application/json", "text/csv"]) == "text/csv"


def as_csv(columns: Sequence[str], rows: Iterable[dict[str, Any]], filename: str) -> Response:
    """A CSV file (RFC 4180); an empty cell means that there is no value, never zero."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: guarded(value) for name, value in row.items()} for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def guarded(value: Any) -> Any:
    """Text that a spreadsheet would carry out as a formula, made harmless."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
