"""What readers of several vendors have in common."""
