"""Transfers to full membership."""
