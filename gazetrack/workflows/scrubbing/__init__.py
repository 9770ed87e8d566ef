"""Look for names that must not be in a folder: in files, and in what lies packed within them."""
