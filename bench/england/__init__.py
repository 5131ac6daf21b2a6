"""An invented England: the published files of a country of schools, of the real size and shape, always the same."""

from bench.england.country import NATIONAL, Country, Size, country
from bench.england.files import Files, write

__all__ = ["NATIONAL", "Country", "Files", "Size", "country", "write"]
