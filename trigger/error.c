/*-------------------------------------------------------------------------
 *
 * error.c
 *	  What went wrong, with all that is known of it.
 *
 *-------------------------------------------------------------------------
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *format_text(const char *format, va_list arguments)
	__attribute__((format(printf, 1, 0)));

bool
error_set(Error *error, const char *type, const char *format, ...)
{
	va_list arguments;
	char *message;

	/* Before anything is freed: the arguments may be the error's own fields. */
	va_start(arguments, format);
	message = format_text(format, arguments);
	va_end(arguments);

	error_free(error);
	error->type = type;
	error->message = message;
	return false;
}

bool
error_out_of_memory(Error *error)
{
	return error_set(error, ERROR_INTERNAL, "out of memory");
}

void
error_copy(Error *error, const Error *from)
{
	error_set(error, from->type, "%s", from->message != NULL ? from->message : "out of memory");
	if (from->hint != NULL)
		error_hint(error, "%s", from->hint);
}

void
error_reword(Error *error, const char *format, ...)
{
	va_list arguments;
	char *message;

	va_start(arguments, format);
	message = format_text(format, arguments);
	va_end(arguments);

	free(error->message);
	error->message = message;
}

void
error_hint(Error *error, const char *format, ...)
{
	va_list arguments;
	char *hint;

	va_start(arguments, format);
	hint = format_text(format, arguments);
	va_end(arguments);

	free(error->hint);
	error->hint = hint;
}

void
error_detail(Error *error, const char *detail)
{
	free(error->detail);
	error->detail = detail != NULL ? strdup(detail) : NULL;
}

/* What is not five characters long is no SQLSTATE, and is left out. */
void
error_sqlstate(Error *error, const char *sqlstate)
{
	if (sqlstate == NULL || strlen(sqlstate) != sizeof(error->sqlstate) - 1)
		return;
	memcpy(error->sqlstate, sqlstate, sizeof(error->sqlstate));
}

void
error_place(Error *error, const char *file, long line, long column, long statement)
{
	free(error->file);
	error->file = strdup(file);
	error->line = line;
	error->column = column;
	error->statement = statement;
}

bool
error_has_sqlstate(const Error *error, const char *sqlstate)
{
	return strcmp(error->sqlstate, sqlstate) == 0;
}

void
error_free(Error *error)
{
	free(error->message);
	free(error->detail);
	free(error->hint);
	free(error->file);
	memset(error, 0, sizeof(*error));
}

/* NULL when memory is out, which readers of an Error take for what it is. */
static char *
format_text(const char *format, va_list arguments)
{
	char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		return NULL;
	return text;
}
