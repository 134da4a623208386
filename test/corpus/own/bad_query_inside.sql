-- A query within a function has lines of its own: the statement that called it is named.
CREATE FUNCTION counted() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(*)
	FROM there_is_none);
END
$$;

CREATE TABLE before_it (id int);
SELECT 1,
	counted();
CREATE TABLE behind_it (id int);
CREATE TABLE and_that (id int);
