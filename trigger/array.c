/*-------------------------------------------------------------------------
 *
 * array.c
 *	  A text[] as a parameter, in the binary format.
 *
 *-------------------------------------------------------------------------
 */
#include "array.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The type that the elements have; it will never change. */
#define TEXT_OID 25

static void append_number(Array *array, size_t number);
static void append_bytes(Array *array, const char *bytes, size_t length);

/* No NULL among the elements, the first has index 1; without any there is no dimension. */
bool
array_make(const void *elements, size_t count, ArrayElement element, Array *array, Error *error)
{
	size_t size = 5 * sizeof(uint32_t);
	size_t length;
	size_t i;

	for (i = 0; i < count; i++)
	{
		(void) element(elements, i, &length);
		size += sizeof(uint32_t) + length;
	}
	array->length = 0;
	array->bytes = malloc(size);
	if (array->bytes == NULL)
		return error_out_of_memory(error);

	append_number(array, count > 0 ? 1 : 0);
	append_number(array, 0);
	append_number(array, TEXT_OID);
	if (count > 0)
	{
		append_number(array, count);
		append_number(array, 1);
	}
	for (i = 0; i < count; i++)
	{
		const char *text = element(elements, i, &length);

		append_number(array, length);
		append_bytes(array, text, length);
	}
	return true;
}

static void
append_number(Array *array, size_t number)
{
	uint32_t big_endian = htonl((uint32_t) number);

	append_bytes(array, (const char *) &big_endian, sizeof(big_endian));
}

static void
append_bytes(Array *array, const char *bytes, size_t length)
{
	memcpy(array->bytes + array->length, bytes, length);
	array->length += length;
}
