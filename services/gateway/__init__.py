"""Gateway: the door and the record."""
