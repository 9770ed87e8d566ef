"""Several methods and seeds compared, and the reports."""
