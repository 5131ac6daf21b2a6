"""Programs that people write today for the same work, in the style of their manuals and templates."""
