-- An init script: for psql, and for docker-entrypoint-initdb.d.
--
--     psql -X -v ON_ERROR_STOP=1 -d your_database -f init.sql
--
-- In a container, put it into /docker-entrypoint-initdb.d beside an image's
-- PostgreSQL in which rdsinit is installed.  The script may be run as often as
-- one likes: a schema that is applied already is left alone.

\set ON_ERROR_STOP on

CREATE EXTENSION IF NOT EXISTS rdsinit;

SELECT name, outcome, statements, rows
  FROM rdsinit.apply('schema.sql', $script$

CREATE SCHEMA your_schema;

CREATE TABLE your_schema.product (
    id               varchar(20)    PRIMARY KEY,
    name             varchar(255)   NOT NULL,
    avg_weekly_usage decimal(10, 2) DEFAULT 0,
    safety_stock     decimal(10, 2) DEFAULT 0,
    max_stock        decimal(10, 2) DEFAULT 0,
    description      text
);

COMMENT ON TABLE your_schema.product IS
    'products, with the stock to be kept of each';

$script$);
