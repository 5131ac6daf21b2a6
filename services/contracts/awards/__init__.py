"""Awards: what a verdict earns of the payments for outcomes."""
