"""Reaching published files on the web: allowed hosts only, patiently, with limits."""
