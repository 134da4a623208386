/*-------------------------------------------------------------------------
 *
 * request.c
 *	  What an invocation is to do: the options of rdsinit.deploy.
 *
 *-------------------------------------------------------------------------
 */
#include "request.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/naming.h"

bool
request_read_resume(const char *text, Resume *resume)
{
	if (strcmp(text, "skip") == 0)
		*resume = RESUME_SKIP;
	else if (strcmp(text, "again") == 0)
		*resume = RESUME_AGAIN;
	else
		return false;
	return true;
}

bool
request_read_baseline(const char *text, char **baseline)
{
	char *canonical = rds_version_is_valid(text) ? malloc(strlen(text) + 1) : NULL;

	if (canonical == NULL)
		return false;
	rds_version_canonical(text, strlen(text), canonical);
	free(*baseline);
	*baseline = canonical;
	return true;
}

/* The server's units, and its largest number for such settings. */
bool
request_read_time(const char *text, int64_t *milliseconds)
{
	static const struct
	{
		const char *name;
		long long length;
	} units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
	char *end;
	long long number;
	size_t i;

	/* strtoll would take blanks and signs as well. */
	if (!isdigit((unsigned char) text[0]))
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	while (*end == ' ')
		end++;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (strcmp(end, units[i].name) != 0)
			continue;
		if (errno != 0 || number > INT32_MAX / units[i].length)
			return false;
		*milliseconds = number * units[i].length;
		return true;
	}
	return false;
}

bool
request_copy(const Request *from, Request *to, Error *error)
{
	*to = *from;
	to->baseline = from->baseline != NULL ? strdup(from->baseline) : NULL;
	to->bundle_checksum = from->bundle_checksum != NULL ? strdup(from->bundle_checksum) : NULL;
	to->variables = json_incref(from->variables);
	if ((from->baseline != NULL && to->baseline == NULL) || (from->bundle_checksum != NULL && to->bundle_checksum == NULL))
		return error_out_of_memory(error);
	return true;
}

void
request_free(Request *request)
{
	free(request->baseline);
	free(request->bundle_checksum);
	json_decref(request->variables);
	memset(request, 0, sizeof(*request));
}
