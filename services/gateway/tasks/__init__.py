"""The task list of a transfer: steps finished, opened again, and brought to a newer template."""
