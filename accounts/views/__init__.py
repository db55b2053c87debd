"""Pages about access: signing in, passwords, and an account's own details, members and keys."""
