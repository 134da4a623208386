/*-------------------------------------------------------------------------
 *
 * files.h
 *	  The files of a call: on the server, and what scripts include.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_FILES_H
#define RDS_FILES_H

#include "bundle.h"

/* All that a call is about: its scripts, and what they may include. */
typedef struct RdsFiles
{
	List *scripts;         /* of RdsScript */
	const char *root;      /* a directory, as it really is, in which others may be; NULL: none */
	MemoryContext context; /* in which all this is */
	List *others;          /* of RdsScript: what else has been read */
	const RdsOptions *options;
	struct RdsAhead *ahead; /* what was parsed while scripts were checked */
	bool whole;             /* a bundle: what it does not have is missing */

	/* what decide.c has found */
	List *ordered; /* of RdsScript: those that are not parts of others, in order */
	List *missing; /* of RdsAppliedVersion */

	struct RdsObserver *observer; /* of a plan; NULL: this is none */
} RdsFiles;

extern void rds_files_check_role(void);
extern void rds_files_open(const char *path, RdsFiles *files);
extern RdsScript *rds_files_remember(RdsFiles *files, const RdsScript *script);
extern RdsScript *rds_files_find(RdsFiles *files, const char *from, const char *path, bool relative);

#endif /* RDS_FILES_H */
