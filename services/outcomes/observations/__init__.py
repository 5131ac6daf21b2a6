"""What was observed of a school: published results, as far as they may be told to whom."""
