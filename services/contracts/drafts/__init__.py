"""Drafts: terms before they are offered."""
