"""`textmanager demo`: a campaign from an iMIS query to the activities in iMIS, and its proof."""
