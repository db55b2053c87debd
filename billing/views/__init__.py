"""The pages of the books: each translates a request, makes one domain call and answers."""
