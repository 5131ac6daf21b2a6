"""Following the services behind the door by their events: what the gateway knows of contracts, and what it logs."""
