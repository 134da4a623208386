-- A schema of products and their stock levels.
--
-- It begins from nothing each time: what is in the schema is lost.  That is
-- right for a first schema; once it holds data, the data-loss guard refuses it.

DROP SCHEMA IF EXISTS your_schema CASCADE;
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
