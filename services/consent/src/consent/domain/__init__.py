"""What a text says, whose pair of numbers it is about, and what its history adds up to; pure."""
