/*-------------------------------------------------------------------------
 *
 * ahead.c
 *	  What was parsed while a script was checked, for when it is run.
 *
 * The trees are held, within bounds, so that they need not be made again.  Not
 * where most are of queries: of data there can be much in a script, and to parse
 * it costs little beside the memory.  They are taken where the same bytes are
 * read by the same rules, and once, since a command may change its tree.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "ahead.h"
#include "policy.h"
#include "script_text.h"

/* So much memory is used at most, in bytes. */
#define MOST_MEMORY (32 * 1024 * 1024)

typedef struct Key
{
	const RdsScript *script;
	Size offset; /* in its source */
} Key;

typedef struct Held
{
	Key key;
	MemoryContext context; /* of all that follows */
	char *text;
	Size length;
	core_yy_extra_type rules; /* by which it was scanned */
	List *statements;
} Held;

typedef struct RdsAhead
{
	MemoryContext context;
	HTAB *batches; /* of Held */
	Size memory;   /* of what has been held, also once it is taken */
} RdsAhead;

static RdsAhead *make(MemoryContext context);
static bool are_commands(const List *statements);
static void rules_now(core_yy_extra_type *rules);

/*
 * rds_ahead_hold
 *		Holds a batch that was parsed in a context of its own, at the cursor's place.
 *
 * The context is moved where it lasts; or stays where it is, if there is no need
 * for the batch, or no room.
 */
void
rds_ahead_hold(RdsFiles *files, const RdsScript *script, const RdsCursor *cursor, const RdsBatch *batch,
			   MemoryContext context)
{
	Key key = {.script = script, .offset = text_position(cursor, batch->from).offset};
	Size memory = MemoryContextMemAllocated(context, true);
	RdsAhead *ahead = files->ahead;
	Held *held;
	bool found;

	if (!are_commands(batch->statements))
		return;
	if (ahead == NULL)
		ahead = files->ahead = make(files->context);
	if (ahead->memory + memory > MOST_MEMORY)
		return;
	held = hash_search(ahead->batches, &key, HASH_ENTER, &found);
	if (found)
		return;
	held->context = context;
	held->length = batch->to - batch->from;
	held->text = MemoryContextAlloc(context, held->length);
	memcpy(held->text, cursor->text.data + batch->from, held->length);
	rules_now(&held->rules);
	held->statements = batch->statements;
	MemoryContextSetParent(context, ahead->context);
	ahead->memory += memory;
}

/*
 * rds_ahead_take
 *		Gives the batch that is held for the cursor's place, if there is one; it lives
 *		in the current memory context from here on.
 */
bool
rds_ahead_take(const RdsFiles *files, const RdsScript *script, RdsCursor *cursor, RdsBatch *batch)
{
	Key key = {.script = script};
	core_yy_extra_type rules;
	Held held;
	const Held *found;

	if (files->ahead == NULL)
		return false;
	key.offset = text_position(cursor, cursor->next).offset;
	found = hash_search(files->ahead->batches, &key, HASH_FIND, NULL);
	if (found == NULL)
		return false;
	held = *found;
	(void) hash_search(files->ahead->batches, &key, HASH_REMOVE, NULL);
	MemoryContextSetParent(held.context, CurrentMemoryContext);

	rules_now(&rules);
	while (cursor->text.len - cursor->next < held.length && !cursor->all_read)
		text_read_more(cursor);
	if (cursor->text.len - cursor->next < held.length || memcmp(&rules, &held.rules, sizeof(rules)) != 0 ||
		memcmp(cursor->text.data + cursor->next, held.text, held.length) != 0)
		return false;
	batch->statements = held.statements;
	batch->from = cursor->next;
	batch->to = cursor->next + held.length;
	return true;
}

/* For as long as the files. */
static RdsAhead *
make(MemoryContext context)
{
	RdsAhead *ahead = MemoryContextAllocZero(context, sizeof(RdsAhead));
	HASHCTL control = {0};

	ahead->context = AllocSetContextCreate(context, "rdsinit parsed ahead", ALLOCSET_DEFAULT_SIZES);
	control.keysize = sizeof(Key);
	control.entrysize = sizeof(Held);
	control.hcxt = ahead->context;
	ahead->batches = hash_create("rdsinit parsed ahead", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return ahead;
}

/* Most of them? */
static bool
are_commands(const List *statements)
{
	ListCell *cell;
	int queries = 0;

	foreach(cell, statements)
		queries += rds_is_query(lfirst_node(RawStmt, cell)) ? 1 : 0;
	return 2 * queries < list_length(statements);
}

static void
rules_now(core_yy_extra_type *rules)
{
	memset(rules, 0, sizeof(*rules));
	rds_scanner_follow_settings(rules);
}
