"""Lab Streaming Layer: XDF."""
