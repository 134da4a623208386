CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  RETURN $$;$$ || $q$'$q$ || '\';
END;
$body$;
CREATE TABLE "a;b" ("c""d" text DEFAULT 'e;f''g', h text DEFAULT E'i\';\n', j text DEFAULT U&'\0041;', k bit(3) DEFAULT B'101');
INSERT INTO "a;b" VALUES ('x'
  'y', $$;$$, $a$ $$ ; $b$ $a$, X'5'::bit(3)); -- ; not an end
/* ; /* nested ; */ ' " $$ ; */
INSERT INTO "a;b" ("c""d") SELECT f();;;
COMMENT ON TABLE "a;b" IS $é$ a tag with a letter $é$;
