"""The ground of transfers: what they are proposed on, withdrawn without, and at odds with once carried out."""
