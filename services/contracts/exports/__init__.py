"""Exports: invoices and credit notes for finance packages."""
