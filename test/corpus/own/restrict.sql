\restrict abcDEF123
SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET client_min_messages = warning;
CREATE TABLE public.t (id integer NOT NULL, v text);
ALTER TABLE public.t OWNER TO postgres;
COPY public.t (id, v) FROM stdin;
1	ä
2	日本
\.
ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);
\unrestrict abcDEF123
