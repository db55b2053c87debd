"""Pages where money and usage are read together."""
