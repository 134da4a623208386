CREATE TABLE "a;b" ("c""d" text);
SET standard_conforming_strings = off;
SET escape_string_warning = off;
INSERT INTO "a;b" ("c""d") VALUES ('\';'), ('it\'s; old');
SET standard_conforming_strings = on;
INSERT INTO "a;b" ("c""d") VALUES ('\'), (';');
