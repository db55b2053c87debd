"""What people type on the pages of the books, one module per group of pages."""
