"""Connections, and the catalogue: the policy's names bound to the real tables of one database."""
