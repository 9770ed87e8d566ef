"""Readers: one export format a file, found by content."""
