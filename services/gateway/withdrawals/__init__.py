"""Taking milestone records back: by another record, never by an edit."""
