/*-------------------------------------------------------------------------
 *
 * bundle_checksum.c
 *	  One checksum of a whole bundle.
 *
 *-------------------------------------------------------------------------
 */
#include "bundle_checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static bool list(const Bundle *bundle, FILE *listing, Error *error);

bool
bundle_checksum(const Bundle *bundle, char *checksum, Error *error)
{
	char *text = NULL;
	size_t length = 0;
	FILE *listing = open_memstream(&text, &length);
	bool ok;

	if (listing == NULL)
		return error_out_of_memory(error);
	ok = list(bundle, listing, error);
	if (fclose(listing) != 0 && ok)
		ok = error_out_of_memory(error);
	ok = ok && checksum_text(text, length, checksum, error);
	free(text);
	return ok;
}

bool
bundle_check_checksum(const Bundle *bundle, const char *wanted, Error *error)
{
	char checksum[CHECKSUM_LENGTH + 1];

	if (wanted == NULL)
		return true;
	if (!bundle_checksum(bundle, checksum, error))
		return false;
	if (strcasecmp(checksum, wanted) == 0)
		return true;
	error_set(error, ERROR_BUNDLE, "the resource's BundleChecksum is %s, but that of the function's bundle is %s", wanted, checksum);
	error_hint(error, "The template and the function's code are not from the same package: upload the package whose checksum"
					  " the template has, or give the template the one that \"bootstrap --bundle-checksum\" prints.");
	return false;
}

static bool
list(const Bundle *bundle, FILE *listing, Error *error)
{
	char checksum[CHECKSUM_LENGTH + 1];
	size_t i;

	for (i = 0; i < bundle->count; i++)
	{
		const Script *script = &bundle->scripts[i];

		if (!checksum_text(script->body, script->length, checksum, error))
			return false;
		fprintf(listing, "%s  %s\n", checksum, script->name);
		if (script->no_transaction)
			fprintf(listing, "no-transaction  %s\n", script->name);
	}
	return true;
}
