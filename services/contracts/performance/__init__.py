"""Performance as a supplier: KPI assessments, opportunities to improve, and findings after them."""
