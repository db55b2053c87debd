"""The lists of the books, one module per group of pages."""
