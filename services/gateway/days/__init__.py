"""The day itself: what the system does once the effective date has come, and what it hands over afterwards."""
