"""Kernel: what the three services share; it knows no word of the domain."""
