/*-------------------------------------------------------------------------
 *
 * array.h
 *	  A text[] as a parameter, in the binary format: no escapes, no second copy.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARRAY_H
#define ARRAY_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef struct Array
{
	char *bytes;
	size_t length;
} Array;

/* Gives the element of that number, which counts from 0. */
typedef const char *(*ArrayElement)(const void *elements, size_t number, size_t *length);

/* The bytes are the caller's to free. */
extern bool array_make(const void *elements, size_t count, ArrayElement element, Array *array, Error *error);

#endif /* ARRAY_H */
