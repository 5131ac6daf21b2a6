"""Ringfence: three services, one door."""
