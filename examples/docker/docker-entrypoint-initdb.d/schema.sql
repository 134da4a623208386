-- Brings the database up to the scripts in /schema.  It may be run as often as one likes.

CREATE EXTENSION IF NOT EXISTS rdsinit;

SELECT name, outcome, statements, rows FROM rdsinit.apply_file('/schema');
