"""Payments: the parts of a contract's value, and how far each has come."""
