"""A second, slow and obvious Vault: it shares no code with the first and must agree with it to the cent."""
