"""Statements: the ledger of a contract, or of all contracts of a trust, retold."""
