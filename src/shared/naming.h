/*-------------------------------------------------------------------------
 *
 * naming.h
 *	  What a script's name means, for the extension and the trigger alike.
 *
 * Nothing here needs PostgreSQL's headers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_NAMING_H
#define RDS_NAMING_H

#include <stdbool.h>
#include <stddef.h>

typedef enum RdsKind
{
	RDS_VERSIONED,  /* in order of version, each once */
	RDS_REPEATABLE, /* after those, in order of name, whenever it has changed */
	RDS_UNDO        /* kept, to take the version back */
} RdsKind;

typedef struct RdsNaming
{
	RdsKind kind;
	const char *version; /* within the name, NULL: none */
	size_t length;       /* of the version */
	const char *problem; /* what is wrong with the name, NULL: nothing */
	const char *hint;
} RdsNaming;

extern void rds_naming(const char *name, RdsNaming *naming);

/* A version in the form in which equal ones are equal texts. */
extern bool rds_version_is_valid(const char *version);
extern void rds_version_canonical(const char *version, size_t length, char *canonical);
extern int rds_version_compare(const char *a, const char *b);

#endif /* RDS_NAMING_H */
