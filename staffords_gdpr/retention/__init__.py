"""Which rows are due: once as SQL over the whole database (`bulk`), once as a pure function (`pure`)."""
