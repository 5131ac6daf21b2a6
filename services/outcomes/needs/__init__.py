"""Needs: which schools to look at first, by rule and by figures, with how sure that is."""
