"""Values in, value or DomainError out: no framework, no rows, no clock."""
