"""Scripts that several tests apply."""

import hashlib

# Three statements, two rows.
SHOP = """\
-- A shop in miniature.
CREATE SCHEMA shop;
CREATE TABLE shop.product (
    id varchar(20) PRIMARY KEY,
    name varchar(255) NOT NULL
);
INSERT INTO shop.product VALUES ('a', 'Apple'), ('b', 'Bread');
"""

# The third statement names a relation that is not there: line 3, column 13.
BROKEN = """\
CREATE SCHEMA shop;
CREATE TABLE shop.product (id int);
INSERT INTO shop.produkt VALUES (1);
"""


def checksum(script):
    """As the ledgers have it, for a script with LF and no byte-order mark."""
    return hashlib.sha256(script.encode()).hexdigest()
