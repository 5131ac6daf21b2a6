"""Checking an installation's log as its owner: what was written against what stands there now."""
