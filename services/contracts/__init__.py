"""Contracts: what was promised, by whom, for how much, until when."""
