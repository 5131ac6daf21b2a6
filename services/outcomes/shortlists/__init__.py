"""Shortlists: what the register says of a school and of the trusts that might help it."""
