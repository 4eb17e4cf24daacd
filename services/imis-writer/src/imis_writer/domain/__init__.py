"""What the imis-writer decides; pure, time is passed in."""
