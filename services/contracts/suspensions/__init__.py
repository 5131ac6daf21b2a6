"""Suspensions: what stops while a contract rests, and what goes on."""
