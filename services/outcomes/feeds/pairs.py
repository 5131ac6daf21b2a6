"""A data file with its metadata file, as Explore Education Statistics gives them: two members of one zip archive."""

import io
import zipfile
import zlib
from dataclasses import dataclass

from services.outcomes.feeds import opening
from services.outcomes.feeds.records import FeedRefused

MAX_METADATA = 2**20
ENTRY = b"PK\x01\x02"
MANY = 100
"""Marks of entries from which an archive is not even opened; by chance a packed file has one or two."""
METADATA = ".meta.csv"
PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@dataclass(frozen=True, slots=True)
class Pair:
    """The bytes of a data file, and of its metadata where it came with them."""

    data: bytes
    metadata: bytes | None


def pair(content: bytes) -> Pair:
    """The data file and its metadata; a file that is no zip archive comes alone. Raises FeedRefused.

    The archive must hold `NAME.csv` and `NAME.meta.csv`, and nothing else.
    """
    if not content.startswith(b"PK\x03\x04"):
        return Pair(content, None)
    if content.count(ENTRY) > MANY:
        raise FeedRefused("unreadable", "The archive holds too many files; send one data file with its metadata.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            data, metadata = members(archive)
            return Pair(member(archive, data, opening.MAX_UNPACKED), member(archive, metadata, MAX_METADATA))
    # NotImplementedError is what zipfile raises for a way of packing that it does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise FeedRefused("unreadable", "The archive is damaged, or only a part of it came.") from error


def members(archive: zipfile.ZipFile) -> tuple[zipfile.ZipInfo, zipfile.ZipInfo]:
    """The data file and the metadata of an archive; raises FeedRefused when there is anything else in it."""
    entries = [each for each in archive.infolist() if not each.is_dir()]
    metadata = [each for each in entries if each.filename.lower().endswith(METADATA)]
    data = [each for each in entries if each not in metadata]
    if len(metadata) != 1 or len(data) != 1:
        raise FeedRefused("unreadable", "The archive must hold one data file (.csv) and its metadata (.meta.csv) only.")
    name, of = data[0].filename.lower(), metadata[0].filename.lower().removesuffix(METADATA)
    if name != f"{of}.csv":
        raise FeedRefused("unreadable", "The data file and the metadata in the archive do not have the same name.")
    return data[0], metadata[0]


def member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """The bytes of a member; raises FeedRefused for more than `most`, for a password, and for an unusual packing."""
    if entry.flag_bits & 1 or entry.compress_type not in PACKINGS:
        raise FeedRefused("unreadable", "The archive is locked, or packed in a way that is not read here.")
    if entry.file_size > most:
        raise FeedRefused("unreadable", f"Unpacked, a file of the archive is larger than {most >> 20} MiB.")
    with archive.open(entry) as file:
        return file.read(most + 1)
