"""How a trust invoices a contract and keeps it in its books."""
