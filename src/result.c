/*-------------------------------------------------------------------------
 *
 * result.c
 *	  A query's rows as text, for \gset and \gexec.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "fmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "result.h"

struct RdsResult
{
	DestReceiver receiver; /* first: the server's view of it */
	MemoryContext context;
	TupleDesc descriptor;
	FmgrInfo *output; /* a function for each column */
	List *columns;    /* their names */
	List *rows;       /* each a list of texts, NULL for null */
};

static void startup(DestReceiver *self, int operation, TupleDesc descriptor);
static bool receive(TupleTableSlot *slot, DestReceiver *self);
static void nothing(DestReceiver *self);

/* An empty result, in the current memory context, where all of it will be. */
RdsResult *
rds_result_make(void)
{
	RdsResult *result = palloc0(sizeof(RdsResult));

	result->receiver.receiveSlot = receive;
	result->receiver.rStartup = startup;
	result->receiver.rShutdown = nothing;
	result->receiver.rDestroy = nothing;
	result->receiver.mydest = DestTuplestore;
	result->context = CurrentMemoryContext;

	return result;
}

/* What a query sends its rows to. */
DestReceiver *
rds_result_receiver(RdsResult *result)
{
	return &result->receiver;
}

List *
rds_result_columns(const RdsResult *result)
{
	return result->columns;
}

List *
rds_result_rows(const RdsResult *result)
{
	return result->rows;
}

static void
startup(DestReceiver *self, int operation, TupleDesc descriptor)
{
	RdsResult *result = (RdsResult *) self;
	MemoryContext oldcontext = MemoryContextSwitchTo(result->context);

	result->descriptor = CreateTupleDescCopy(descriptor);
	result->output = palloc(descriptor->natts * sizeof(FmgrInfo));
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		Oid function;
		bool is_varlena;

		getTypeOutputInfo(attribute->atttypid, &function, &is_varlena);
		fmgr_info(function, &result->output[i]);
		result->columns = lappend(result->columns, pstrdup(NameStr(attribute->attname)));
	}
	MemoryContextSwitchTo(oldcontext);
}

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	RdsResult *result = (RdsResult *) self;
	MemoryContext oldcontext = MemoryContextSwitchTo(result->context);
	List *row = NIL;

	slot_getallattrs(slot);
	for (int i = 0; i < result->descriptor->natts; i++)
		row = lappend(row, slot->tts_isnull[i] ? NULL
											   : OutputFunctionCall(&result->output[i], slot->tts_values[i]));
	result->rows = lappend(result->rows, row);
	MemoryContextSwitchTo(oldcontext);

	return true;
}

static void
nothing(DestReceiver *self)
{
}
