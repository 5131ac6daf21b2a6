"""A data set out of the API, as the one archive in which its data file and metadata are taken in."""

import csv
import io
import zipfile

from services.outcomes.statistics.models import DataSetVersion, Metadata
from services.outcomes.statistics.paging import Incomplete

COLUMNS = ("col_name", "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp", "filter_hint")
LAST = "filter_grouping_column"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same data give the same archive, byte for byte."""


def whole(data: bytes, version: DataSetVersion) -> bytes:
    """The data file of a version (plain CSV), if it has the rows that the API tells of; raises Incomplete."""
    rows = data.count(b"\n") - data.endswith(b"\n")
    if rows < version.total_results:
        told = f"version {version.version} has {version.total_results} rows, and {max(rows, 0)} came"
        raise Incomplete(f"Only a part of the data file came: {told}. Ask again later.")
    return data


def archive(name: str, data: bytes, metadata: Metadata) -> bytes:
    """The archive of a data file (plain CSV) and its metadata, both under this name."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for member, content in ((f"{name}.csv", data), (f"{name}.meta.csv", described(metadata).encode())):
            entry = zipfile.ZipInfo(member, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content)
    return made.getvalue()


def described(metadata: Metadata) -> str:
    """The metadata as EES writes it in a file."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow((*COLUMNS, LAST))
    for each in metadata.filters:
        writer.writerow((each.column, "Filter", each.label, "", "", "", each.hint, ""))
    for one in metadata.indicators:
        places = "" if one.decimal_places is None else one.decimal_places
        writer.writerow((one.column, "Indicator", one.label, "", one.unit or "", places, "", ""))
    return written.getvalue()
