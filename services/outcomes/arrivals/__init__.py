"""Arrivals: published files as they come in, sent or fetched."""
