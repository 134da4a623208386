/*-------------------------------------------------------------------------
 *
 * psqlif.c
 *	  psql's \if, \elif, \else and \endif.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "psqlcmd.h"

static RdsIf *innermost_if(RdsReader *reader, const RdsCall *call);
static RdsBranch evaluate(RdsReader *reader, const RdsCall *call);

bool
rds_run_if(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(reader->context);
	RdsIf *new = palloc0(sizeof(RdsIf));

	new->branch = rds_reader_is_active(reader) ? evaluate(reader, call) : RDS_DONE;
	new->position = reader->frame->place.position;
	reader->frame->ifs = lcons(new, reader->frame->ifs);
	MemoryContextSwitchTo(oldcontext);
	return false;
}

bool
rds_run_elif(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	RdsIf *current = innermost_if(reader, call);

	if (current->in_else)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\\elif behind \\else")));
	if (current->branch == RDS_TAKEN)
		current->branch = RDS_DONE;
	else if (current->branch == RDS_WAITING)
		current->branch = evaluate(reader, call);
	return false;
}

bool
rds_run_else(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	RdsIf *current = innermost_if(reader, call);

	if (current->in_else)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\\else behind \\else")));
	current->in_else = true;
	if (current->branch == RDS_TAKEN)
		current->branch = RDS_DONE;
	else if (current->branch == RDS_WAITING)
		current->branch = RDS_TAKEN;
	return false;
}

bool
rds_run_endif(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	(void) innermost_if(reader, call);
	reader->frame->ifs = list_delete_first(reader->frame->ifs);
	return false;
}

static RdsIf *
innermost_if(RdsReader *reader, const RdsCall *call)
{
	if (reader->frame->ifs == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\\%s without \\if", call->name)));
	return linitial(reader->frame->ifs);
}

/* psql takes what is no boolean for false, and says so. */
static RdsBranch
evaluate(RdsReader *reader, const RdsCall *call)
{
	StringInfoData expression;
	ListCell *cell;
	bool value = false;

	if (call->unsure)
		return RDS_PERHAPS;

	initStringInfo(&expression);
	foreach(cell, call->arguments)
		appendStringInfo(&expression, "%s%s", expression.len > 0 ? " " : "", (char *) lfirst(cell));
	if (!parse_bool(expression.data, &value) && !reader->checking)
		ereport(WARNING,
				(errmsg("unrecognized value of \"\\%s\", taken for false: a boolean is expected", call->name)));
	return value ? RDS_TAKEN : RDS_WAITING;
}
