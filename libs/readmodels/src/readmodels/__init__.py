"""The read models' tables and queries: projections writes them, the gateway reads them."""
