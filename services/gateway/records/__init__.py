"""Milestone records: the fact, written once."""
