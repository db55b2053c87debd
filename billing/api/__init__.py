"""The books for programs: one module per resource; each translates, calls one verb, and answers."""
