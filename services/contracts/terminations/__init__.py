"""Terminations: ends before the term, by notice or by agreement, and the hand-back after them."""
