"""PDFs, made by a library that is loaded when the first is wanted: it is large, and most processes make none."""

from services.contracts.rules.documents.exports import Body


def invoice_pdf(body: Body) -> bytes:
    """An invoice or credit note as PDF."""
    from services.contracts.rules.documents import pdf  # noqa: PLC0415

    return pdf.invoice_pdf(body)


def statement_pdf(body: Body) -> bytes:
    """A statement as PDF."""
    from services.contracts.rules.documents import pdf  # noqa: PLC0415

    return pdf.statement_pdf(body)
