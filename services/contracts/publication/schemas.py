"""Packages of the Open Contracting Data Standard."""

from typing import Any

from pydantic import BaseModel, Field


class Package(BaseModel):
    """What every OCDS 1.1 package says of itself."""

    uri: str
    version: str
    publishedDate: str  # noqa: N815
    publisher: dict[str, Any]
    license: str
    extensions: list[str]


class ReleasePackage(Package):
    """Releases: each says what was new, once, and is never changed."""

    releases: list[dict[str, Any]] = Field(description="See https://standard.open-contracting.org/1.1/")


class RecordPackage(Package):
    """A process: its releases, and what they add up to."""

    records: list[dict[str, Any]]
