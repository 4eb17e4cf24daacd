"""What the facts about messages and runs add up to; pure."""
