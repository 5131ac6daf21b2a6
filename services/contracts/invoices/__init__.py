"""Invoices and credit notes: numbered without gaps, frozen, as JSON, UBL and PDF."""
