"""The register of suppliers: what trusts can carry and have achieved, and what stands against them."""
