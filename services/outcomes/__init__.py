"""Outcomes: published results, where they count, and what they show."""
