"""Duties: what must be published or done by when, and the notices that show that it was."""
