"""Insights: money and usage together, and the exports other books read."""
