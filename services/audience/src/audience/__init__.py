"""Owns the rows of each run, as iMIS gave them, and makes recipients or previews of them."""
