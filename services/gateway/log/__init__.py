"""The log: what happened, so that nobody can change it unseen."""
