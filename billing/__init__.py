"""Billing: catalogue, rating, runs, invoices, credits, tax, ledger and documents."""
