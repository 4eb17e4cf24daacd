"""When something is to happen: recurrence, and quiet hours by place; pure."""
