/*-------------------------------------------------------------------------
 *
 * plain_command.h
 *	  psql's meta-commands: see psql's manual page for what each does.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_COMMAND_H
#define PLAIN_COMMAND_H

#include <stdbool.h>

#include "error.h"
#include "plain_reader.h"

/* A command with its arguments. */
typedef struct Call
{
	char *name;
	char **arguments;
	size_t count;
	bool unsure; /* an argument depends on what is not known yet */
} Call;

/*
 * Carries out the command that the reader's cursor is at.  "sends" says that
 * the cursor is at a statement then, which the command has ended.
 */
extern bool command_run(Reader *reader, bool *sends, Error *error);

/* What carries a command out, behind which the cursor is by then. */
typedef bool (*Handler)(Reader *reader, const Call *call, bool *sends, Error *error);

/* In plain_conditional.c. */
extern bool conditional_if(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool conditional_elif(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool conditional_else(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool conditional_endif(Reader *reader, const Call *call, bool *sends, Error *error);

/* In plain_action.c. */
extern bool action_connect(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_echo(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_encoding(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_g(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_gexec(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_gset(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_include(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_none(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_none_alone(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_quit(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_reset(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_restrict(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_set(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_unrestrict(Reader *reader, const Call *call, bool *sends, Error *error);
extern bool action_unset(Reader *reader, const Call *call, bool *sends, Error *error);

/* For these: always false. */
extern bool command_refuse(const char *name, const char *hint, Error *error);
extern bool command_fail(Error *error, const char *sqlstate, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first argument; NULL, and the error is set: there is none. */
extern const char *command_argument(const Call *call, Error *error);

#define HINT_SHELL "Nothing is run in a shell here, and no file but a script's own is read or written."

#endif /* PLAIN_COMMAND_H */
