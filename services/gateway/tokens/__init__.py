"""The token endpoint: access tokens for clients, their revocation, and what can be known of them."""
