"""Clients, API keys and tokens: who may come in."""
