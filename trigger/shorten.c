/*-------------------------------------------------------------------------
 *
 * shorten.c
 *	  Lists cut down to what an answer has room for.
 *
 *-------------------------------------------------------------------------
 */
#include "shorten.h"

#include <stdlib.h>

/* The brackets around a list. */
#define BRACKETS 2

static void choose(const json_t *list, size_t limit, ShortenRank rank, bool *kept);

size_t
shorten_length(const json_t *json)
{
	return json_dumpb(json, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

bool
shorten_list(json_t *list, size_t limit, ShortenRank rank)
{
	size_t count = json_array_size(list);
	bool *kept;
	size_t i;

	if (shorten_length(list) <= limit)
		return false;

	kept = calloc(count, sizeof(*kept));
	if (kept != NULL)
		choose(list, limit, rank, kept);
	for (i = count; i > 0; i--)
	{
		if (kept == NULL || !kept[i - 1])
			json_array_remove(list, i - 1);
	}
	free(kept);
	return true;
}

static void
choose(const json_t *list, size_t limit, ShortenRank rank, bool *kept)
{
	size_t used = BRACKETS;
	int wanted;
	size_t i;

	for (wanted = SHORTEN_MOST; wanted >= 0; wanted--)
	{
		for (i = 0; i < json_array_size(list); i++)
		{
			const json_t *element = json_array_get(list, i);
			size_t length = shorten_length(element) + 1; /* and a comma */

			if (rank(element) != wanted || used + length > limit)
				continue;
			kept[i] = true;
			used += length;
		}
	}
}
