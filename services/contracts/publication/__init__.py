"""Publication: what the public is told of contracts, as OCDS releases and records."""
