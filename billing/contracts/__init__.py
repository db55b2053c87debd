"""Contracts: one account's own terms over whole months, and what they change on an invoice. Pure."""
