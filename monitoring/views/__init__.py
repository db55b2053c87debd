"""Addresses for machines (alive, ready, metrics) and the status page for operators."""
