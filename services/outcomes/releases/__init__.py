"""Releases: published files, as they came, and which of them count."""
