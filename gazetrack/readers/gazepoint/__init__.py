"""Gazepoint Analysis."""
