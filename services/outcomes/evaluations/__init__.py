"""Evaluations: verdicts on contracts, and the facts that a contract is drafted from."""
