"""Shortlists: which suppliers might help a school, best first, and why the others cannot."""
