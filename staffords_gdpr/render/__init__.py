"""Results as something to look at: pages for people, JSON for scripts. Nothing here prints."""
