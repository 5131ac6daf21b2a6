"""Pictures of evaluations: as SVG, PNG, a table, or plain figures."""
