"""When a campaign is due, and what its run will use; pure."""
