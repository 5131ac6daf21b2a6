"""Invoices, credit notes and statements as PDF that a person can read; the same document gives the same bytes."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import matplotlib
from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from services.contracts.rules.documents.exports import Body
from services.contracts.rules.documents.lines import day, shown

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FAMILY = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
"""Fonts that come with a library that is there anyway, and know every name."""
GREY = (90, 90, 90)


class Sheet(FPDF):
    """A4 pages with a running foot."""

    def __init__(self, title: str, foot: str, issued_on: str, *, landscape: bool = False) -> None:
        super().__init__("landscape" if landscape else "portrait", "mm", "A4")
        self.foot = foot
        for style, file in FAMILY.items():
            self.add_font("sans", style, FONTS / file)
        self.set_title(title)
        self.set_author("Ringfence")
        self.set_lang("en-GB")
        self.set_creation_date(datetime.fromisoformat(issued_on).replace(tzinfo=UTC))
        self.set_margin(18)
        self.set_auto_page_break(auto=True, margin=20)
        self.add_page()
        self.write_line(title, 18, bold=True)

    def footer(self) -> None:
        """What stands at the foot of every page."""
        self.set_y(-14)
        self.set_font("sans", "", 7)
        self.set_text_color(*GREY)
        self.cell(0, 4, f"{self.foot} · page {self.page_no()} of {{nb}}", align=Align.C)
        self.set_text_color(0)

    def write_line(self, words: str, size: float = 9, *, bold: bool = False, after: float = 0) -> None:
        """A paragraph."""
        self.set_font("sans", "B" if bold else "", size)
        self.multi_cell(0, size * 0.5, words, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(after)

    def beside(self, left: Sequence[str], right: Sequence[str]) -> None:
        """Two blocks beside each other, the first line of each in bold."""
        width, top = self.epw / 2 - 4, self.get_y() + 4
        bottom = top
        for place, block in enumerate((left, right)):
            self.set_xy(self.l_margin + place * (width + 8), top)
            for number, words in enumerate(block):
                self.set_font("sans", "" if number else "B", 9)
                self.set_x(self.l_margin + place * (width + 8))
                self.multi_cell(width, 4.6, words, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            bottom = max(bottom, self.get_y())
        self.set_y(bottom + 4)

    def rows(self, head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int], money: int) -> None:
        """A table with its head on every page; the last `money` columns are figures."""
        self.set_font("sans", "", 8)
        sides = [Align.L] * (len(head) - money) + [Align.R] * money
        style = FontFace(emphasis="BOLD", fill_color=(235, 235, 235))
        with self.table(
            col_widths=tuple(widths),
            text_align=tuple(sides),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=style,
            line_height=5,
            padding=0.8,
        ) as table:
            for each in (head, *rows):
                table.row(tuple(each))
        self.ln(3)

    def made(self) -> bytes:
        """The document as bytes."""
        return bytes(self.output())


def who(title: str, party: Body) -> list[str]:
    """A party as it stands on a document."""
    address = party["address"] or {}
    known = (party["name"], *(address.get(key) for key in ("street", "city", "postcode")))
    found = [title, *(each for each in known if each)]
    for key, words in (("company_number", "Company"), ("vat_number", "VAT"), ("reference", "Reference")):
        if party.get(key):
            found.append(f"{words} {party[key]}")
    return found


def vat_words(vat: Body) -> str:
    """The VAT of a document in words."""
    if vat["category"] == "S":
        return f"VAT at {vat['percent']:g}%"
    return f"No VAT ({'exempt' if vat['category'] == 'E' else 'outside the scope'}): {vat['reason']}"


def invoice_pdf(body: Body) -> bytes:
    """An invoice or credit note, from the frozen document."""
    title, contract = f"{body['title']} {body['number']}", body["contract"]
    sheet = Sheet(title, f"{title} · {contract['reference']}", body["issued_on"])
    sheet.write_line(f"Issued on {day(body['issued_on'])}", after=1)
    if "due_on" in body:
        sheet.write_line(f"To be paid by {day(body['due_on'])}", bold=True)
    else:
        before = body["preceding"]
        sheet.write_line(f"To invoice {before['number']} of {day(before['issued_on'])}", bold=True)
        sheet.write_line(f"Reason: {body['reason'].replace('_', ' ')}")
    sheet.beside(who("From", body["seller"]), who("To", body["buyer"]))
    sheet.write_line(f"Contract {contract['reference']}: {contract['title']}")
    if contract["ocid"]:
        sheet.write_line(f"Open Contracting identifier {contract['ocid']}")
    sheet.write_line(f"Claim {body['claim']}", after=3)
    lines = [
        (each["description"], period(each), each["account_code"], each["cost_centre"], shown(each["net_pence"]))
        for each in body["lines"]
    ]
    sheet.rows(("What for", "Period", "Account", "Cost centre", "Net"), lines, (70, 50, 20, 24, 26), 1)
    sums = (("Net", "net_pence"), (vat_words(body["vat"]), "vat_pence"), ("Total", "gross_pence"))
    sheet.rows(("", "Amount"), [(words, shown(body[key])) for words, key in sums], (150, 40), 1)
    if body["seller"].get("bank_account") and "due_on" in body:
        sheet.write_line(f"Pay to {body['seller']['bank_account']}, quoting {body['number']}.")
    return sheet.made()


def period(line: Body) -> str:
    """First and last day of what a line is for, where it is for a time."""
    return f"{day(line['starts_on'])} to {day(line['ends_on'])}" if line["starts_on"] else ""


def statement_pdf(body: Body) -> bytes:
    """A statement: for each contract what its accounts held, what moved, and what they hold."""
    title = f"Statement of {body['of']}"
    span = f"{day(body['from'])} to {day(body['until'])}" if body["from"] else f"Until {day(body['until'])}"
    sheet = Sheet(title, title, body["until"], landscape=True)
    sheet.write_line(span, after=2)
    for contract in body["contracts"]:
        sheet.write_line(f"{contract['reference']}: {contract['title']}", 11, bold=True, after=1)
        accounts = [
            (name, shown(each["opening_pence"]), shown(each["moved_pence"]), shown(each["closing_pence"]))
            for name, each in contract["accounts"].items()
        ]
        sheet.rows(("Account", "Opening", "Moved", "Closing"), accounts, (80, 60, 60, 60), 3)
        moves = [
            (
                day(each["occurred_on"]),
                f"{each['kind']} {each['code']}",
                f"{each['from']} → {each['to']}",
                each["reason"].replace("_", " "),
                shown(each["amount_pence"]),
            )
            for each in contract["movements"]
        ]
        sheet.rows(("Day", "Part", "From → to", "Reason", "Amount"), moves, (40, 40, 60, 90, 35), 1)
    return sheet.made()
