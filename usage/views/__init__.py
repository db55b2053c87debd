"""The pages of usage: sources, problems, events, and the time line of a resource."""
