/*-------------------------------------------------------------------------
 *
 * plain_work.h
 *	  A script of the bundle, and what its name and its sections mean.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_WORK_H
#define PLAIN_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "bundle.h"
#include "checksum.h"
#include "error.h"
#include "shared/pending.h"
#include "shared/sections.h"

typedef struct Work
{
	const Script *script;
	RdsNaming naming;
	char *version; /* canonical; NULL: none */
	RdsSections sections;
	bool no_transaction;                /* it is run outside of one */
	bool is_part;                       /* another script includes it: it is not applied by itself */
	char checksum[CHECKSUM_LENGTH + 1]; /* with all that it includes */
	size_t *included;                   /* of the bundle */
	size_t included_count;
	const Script *undo; /* the script that takes it back; NULL: none, or it has a section for that */
} Work;

/* "work" has the script and is zero elsewhere; problems are not raised yet. */
extern bool work_look(Work *work, Error *error);
extern void work_free(Work *work);

/* What is wrong with the script's name or its sections. */
extern bool work_check(const Work *work, Error *error);

/* How much of the script's body is to be read: up to the section that goes down. */
extern size_t work_length(const Work *work);

/*
 * The text that takes the version back, to be freed, and the name of the script
 * in which it is; NULL for both: there is none.
 */
extern bool work_undo(const Work *work, const char **name, char **text, Error *error);

#endif /* PLAIN_WORK_H */
