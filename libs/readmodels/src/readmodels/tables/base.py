"""What all tables of the read models belong to."""

from sqlalchemy import MetaData

STORE_NAME = "projections"
METADATA = MetaData()
