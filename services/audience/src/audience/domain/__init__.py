"""What is made of an audience's rows; pure."""
