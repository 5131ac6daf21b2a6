"""The ledger: every move of a contract's money, and what its accounts hold."""
