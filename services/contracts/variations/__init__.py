"""Variations: other terms from a day on, proposed by one party and signed by all; and corrections, which are none."""
