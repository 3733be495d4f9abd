"""The command line: options to one operation to a page of output to an exit code. No logic."""
