"""Consents to transfers: decisions of the bodies that are asked, and the conditions that they make."""
