"""Numbered migrations, a folder a schema."""
