/*-------------------------------------------------------------------------
 *
 * sections.h
 *	  Which lines of a migration go up, and which go down.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_SECTIONS_H
#define RDS_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* A place in a file: a byte, and its line. */
typedef struct RdsLine
{
	size_t offset;
	size_t line; /* counts from 1 */
} RdsLine;

typedef struct RdsSections
{
	bool no_transaction; /* marked to be run outside of a transaction */
	bool has_down;       /* from "down" on to the end it is how to take the migration back */
	RdsLine down;        /* the line of the mark */

	/* what is wrong, NULL: nothing */
	const char *problem;
	const char *hint;
	size_t problem_line;

	/* while lines are looked at */
	bool has_up;
	bool leading; /* nothing but comments so far */
	RdsLine next;
} RdsSections;

extern void rds_sections_begin(RdsSections *sections);
extern void rds_sections_line(RdsSections *sections, const char *line, size_t length, size_t whole_length);
extern void rds_sections_text(RdsSections *sections, const char *text, size_t length);
extern void rds_sections_leading(RdsSections *sections, const char *text, size_t length);
extern void rds_sections_end(RdsSections *sections);

#endif /* RDS_SECTIONS_H */
