BEGIN;
CREATE TABLE one (n int);
COMMIT;
CREATE TABLE two (n int);
START TRANSACTION;
INSERT INTO two VALUES (1);
COMMIT ;
begin transaction; -- a comment
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN 1;
END;
$$;
Commit Work;
