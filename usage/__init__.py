"""Usage: sources, events, intervals, ownership, and whether all of it has arrived."""
