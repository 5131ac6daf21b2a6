"""Milestones, and what records of the gateway do to them."""
