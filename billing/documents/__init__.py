"""Documents: what an issued invoice or credit note looks like, on paper and on screen.

``loading`` reads one into plain facts, ``presenting`` turns facts into a ``snapshot`` (both pure), ``pdf`` prints a
snapshot, ``storage`` keeps the bytes by their hash, and ``rendering`` is the worker's loop around them.
"""
