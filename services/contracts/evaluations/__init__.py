"""Evaluations: asked for here, made by the outcomes service."""
