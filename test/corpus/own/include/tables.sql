CREATE TABLE included (n int);
CREATE TABLE second (n int);
\ir deeper/more.sql
