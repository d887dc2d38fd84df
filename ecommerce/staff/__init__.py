"""The people of the back office: their roles, and how they get in."""
