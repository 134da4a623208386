/*-------------------------------------------------------------------------
 *
 * reader.h
 *	  A script as psql reads it: with its meta-commands carried out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_READER_H
#define RDS_READER_H

#include "errctx.h"
#include "files.h"
#include "psqlarg.h"

/* What is to be done with a statement. */
typedef enum RdsHow
{
	RDS_SEND,  /* run it */
	RDS_GSET,  /* … and make variables of the row that it returns */
	RDS_GEXEC, /* … and run what it returns */
} RdsHow;

typedef struct RdsStep
{
	RdsHow how;
	char *prefix; /* of the variables, for RDS_GSET */
	bool unsure;  /* while checking: whether it is run, or what it says, is not known yet */
} RdsStep;

/* A branch of an \if, in the file in which it stands. */
typedef enum RdsBranch
{
	RDS_TAKEN,   /* this one is */
	RDS_WAITING, /* none so far */
	RDS_DONE,    /* an earlier one, or the whole \if is in a branch that is not taken */
	RDS_PERHAPS  /* while checking: it depends on what is not known yet */
} RdsBranch;

typedef struct RdsIf
{
	RdsBranch branch;
	bool in_else;
	RdsPosition position;
} RdsIf;

/* A file that is being read. */
typedef struct RdsFrame
{
	RdsPlace place; /* in it, for errors */
	const RdsScript *script;
	List *ifs; /* of RdsIf, the innermost first */
	struct RdsFrame *parent;
} RdsFrame;

typedef struct RdsReader
{
	RdsFiles *files;
	RdsVariables *variables;
	RdsErrorContext *errctx;
	MemoryContext context;
	RdsFrame *frame;    /* the innermost */
	bool checking;      /* nothing is run */
	char *restricted;   /* the key of \restrict */
	int nest_level;     /* of the settings that the script changes */
	int wait_for_batch; /* so many statements are to be taken one by one */
	int count;          /* steps so far */
	List *included;     /* names of files, while they are looked for */
} RdsReader;

extern RdsReader *rds_reader_open(const RdsScript *script, RdsFiles *files, bool checking,
								  RdsErrorContext *errctx);
extern bool rds_reader_next(RdsReader *reader, RdsStep *step);
extern RdsCursor *rds_reader_cursor(const RdsReader *reader);
extern void rds_reader_close(RdsReader *reader);

/* For the meta-commands. */
extern void rds_reader_include(RdsReader *reader, const char *path, bool relative);
extern bool rds_reader_is_active(const RdsReader *reader);
extern bool rds_reader_is_unsure(const RdsReader *reader);

/* In psqlcmd.c: carries out the command that the cursor is at; true: a step is to be done. */
extern bool rds_meta_command(RdsReader *reader, RdsStep *step);

#endif /* RDS_READER_H */
