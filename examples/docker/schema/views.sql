-- Without a version: run again whenever it has changed.
CREATE OR REPLACE VIEW missing AS SELECT id, name FROM product WHERE stock = 0;
