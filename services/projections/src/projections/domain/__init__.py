"""How events become rows, and rows become figures; pure."""
