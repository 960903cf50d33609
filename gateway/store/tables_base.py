"""What every file of tables shares."""

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()

# SQLite gives an INTEGER PRIMARY KEY its rowid; PostgreSQL needs 64 bits
Id = BigInteger().with_variant(Integer, "sqlite")
