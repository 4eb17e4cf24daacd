"""What the status service does with the facts of a batch, and what it does unasked.

`at` is the present: how long a run waits is counted from when we heard, not from when it happened.
"""
