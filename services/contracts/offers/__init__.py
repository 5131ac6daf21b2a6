"""Offers: put to the parties, signed by each, or withdrawn, refused, cancelled, or left to lapse."""
