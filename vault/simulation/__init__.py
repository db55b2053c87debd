"""A platform that does not exist, and behaves as if it did: seeded tenants whose usage goes through the real intake."""
