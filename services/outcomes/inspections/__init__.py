"""Inspections by Ofsted, and what DfE reckoned of trusts itself: evidence from others beside the yearly results."""
