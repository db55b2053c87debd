"""The state of the machinery for programs."""
