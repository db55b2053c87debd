"""News told to programs, as Standard Webhooks has it: signed, told at least once, tried for days, told again."""
