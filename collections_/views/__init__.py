"""The pages of collections: each translates a request, makes one domain call and answers."""
