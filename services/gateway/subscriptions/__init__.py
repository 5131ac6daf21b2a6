"""Subscriptions: who is told of what, in order, at least once."""
