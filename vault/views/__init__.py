"""Pages that compose several apps: the staff's home, an account's whole story, the customers' portal, the audit."""
