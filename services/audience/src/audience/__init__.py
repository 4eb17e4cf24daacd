"""Owns the rows of each run, as iMIS or staff gave them; makes recipients or previews of them."""
