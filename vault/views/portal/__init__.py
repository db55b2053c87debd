"""The customers' pages. Every query begins with the account that the gate put on the request."""
