"""Reviews: red, amber, green for every agreed outcome, by the figures and by judgement."""
