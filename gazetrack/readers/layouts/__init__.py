"""How the tables of public data sets are laid out, by name, and the reader that knows them."""
