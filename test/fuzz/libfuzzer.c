/*-------------------------------------------------------------------------
 *
 * libfuzzer.c
 *	  Hands what libFuzzer makes up to a reader.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>

#include "reader.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void) read_input((const char *) data, size);
	return 0;
}
