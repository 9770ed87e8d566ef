"""Tobii: Pro Lab, Studio, the SDK's logs, and the glasses."""
