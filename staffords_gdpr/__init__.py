"""Keeps a retention promise over a call-management database, and proves that it did."""

__version__ = "0.1.0"
