/*-------------------------------------------------------------------------
 *
 * pipe.c
 *	  Hands what comes on standard input to a reader, and prints what came of it.
 *
 * Each text comes as its length, four bytes in the machine's own order, and its bytes.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "reader.h"

int
main(void)
{
	uint32_t length;

	/* Of a text that ends the program the number is to be known. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fread(&length, sizeof(length), 1, stdin) == 1)
	{
		/* Of just this size, so that a read beyond its end is found. */
		char *text = malloc(length > 0 ? length : 1);

		if (text == NULL || fread(text, 1, length, stdin) != length)
			return EXIT_FAILURE;
		puts(read_input(text, length));
		free(text);
	}
	return EXIT_SUCCESS;
}
