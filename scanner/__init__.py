"""Finds personal data where a company keeps it, and builds the inventory for access and deletion requests."""

__version__ = "0.1.0"
