"""Collections: payments, gateways, dunning and cases.

The package carries an underscore because a top-level ``collections`` would hide Python's own; the app's
label, tables and URLs are plain ``collections``.
"""
