"""Open Contracting Data Standard 1.1: what the public is told of a contract, and how releases add up to a record."""
