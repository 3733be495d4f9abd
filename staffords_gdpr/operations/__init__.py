"""One plain function per command, taking what it needs and returning a frozen dataclass: the Python API."""
