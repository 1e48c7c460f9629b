"""A link-in-bio service in front of Linktree."""
