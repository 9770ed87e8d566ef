"""Any delimited text, by the columns that the user names."""
