/*-------------------------------------------------------------------------
 *
 * reader.h
 *	  A reader of the trigger's, to be given damaged input.
 *
 * Each is a program in two forms: with pipe.c, for pytest, and with libfuzzer.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef READER_H
#define READER_H

#include <stddef.h>

/* Reads a text of just this size; what came of it, in a word.  Aborts where that cannot be right. */
extern const char *read_input(const char *text, size_t length);

#endif /* READER_H */
