"""Disputes: claims, or lines of them, whose clock stands still."""
