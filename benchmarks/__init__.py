"""The commands measured against the same work done by hand-written SQL, on the same file in the same run."""
