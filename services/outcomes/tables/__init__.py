"""Ring-fences, full memberships, and performance tables of trusts."""
