"""The public API of Explore Education Statistics: what is published, in which version, and the figures."""
