/*-------------------------------------------------------------------------
 *
 * trust.h
 *	  The certificates that servers are verified against.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TRUST_H
#define TRUST_H

#include <stdbool.h>

#include "error.h"

/* What a package may hold beside the program; the names are the package's, too. */
#define TRUST_OWN "ca.pem"              /* of whoever made the package */
#define TRUST_RDS "rds-roots.pem"       /* of Amazon RDS */
#define TRUST_AMAZON "amazon-roots.pem" /* of AWS's own HTTPS, and of RDS Proxy */

/* Of the files beside the program those that are there; NULL: none. */
typedef struct Trust
{
	char *database;       /* a file for libpq: one of them, or all together */
	char *database_names; /* what to call it in an error */
	char *https;          /* a file for libcurl */
	int descriptor;       /* of the file that is all together, or -1 */
} Trust;

/* Looks beside the program.  The error names the file that does not serve. */
extern bool trust_find(const char *directory, Trust *trust, Error *error);
extern void trust_free(Trust *trust);

/* Can certificates be in that file?  The error says what is wrong with it, and what to do. */
extern bool trust_check(const char *path, const char *origin, Error *error);

#endif /* TRUST_H */
