/*-------------------------------------------------------------------------
 *
 * plain_argument.c
 *	  The arguments of psql's meta-commands, by psql's rules: see "Meta-Commands"
 *	  in psql's manual page.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the string buffer's header needs it */

#include "plain_argument.h"

#include <pqexpbuffer.h>

#include "options.h"
#include "plain_quote.h"

static bool take_part(Arguments *arguments, PQExpBuffer value, Error *error);
static bool take_single_quoted(Arguments *arguments, PQExpBuffer value, Error *error);
static bool take_double_quoted(Arguments *arguments, PQExpBuffer value, Error *error);
static bool take_backquoted(Arguments *arguments, Error *error);
static bool take_code(Arguments *arguments, int base, int most, PQExpBuffer value, Error *error);
static bool take_reference(Arguments *arguments, PQExpBuffer value, Error *error);
static bool is_space(char c);
static bool refuse(Error *error, const char *sqlstate, const char *message, const char *hint);

#define HINT_LINE "A meta-command ends with its line."

char *
argument_name(Arguments *arguments)
{
	const char *start = arguments->at;

	while (arguments->at < arguments->end && !is_space(*arguments->at) && *arguments->at != '\\')
		arguments->at++;
	return strndup(start, (size_t) (arguments->at - start));
}

bool
argument_next(Arguments *arguments, char **argument, Error *error)
{
	PQExpBufferData value;
	bool ok = true;

	*argument = NULL;
	while (arguments->at < arguments->end && is_space(*arguments->at))
		arguments->at++;
	if (arguments->at == arguments->end || *arguments->at == '\\')
		return true;

	initPQExpBuffer(&value);
	while (ok && arguments->at < arguments->end && !is_space(*arguments->at) && *arguments->at != '\\')
		ok = take_part(arguments, &value, error);
	if (ok && PQExpBufferDataBroken(value))
		ok = error_out_of_memory(error);
	if (ok)
		*argument = strdup(value.data);
	termPQExpBuffer(&value);
	return ok && (*argument != NULL || error_out_of_memory(error));
}

void
argument_strip_quotes(char *argument)
{
	char *to = argument;
	const char *at;
	bool quoted = false;

	for (at = argument; *at != '\0'; at++)
	{
		if (*at != '"')
			*to++ = *at;
		else if (quoted && at[1] == '"')
			*to++ = *at++;
		else
			quoted = !quoted;
	}
	*to = '\0';
}

bool
argument_end(Arguments *arguments, Error *error)
{
	char *argument = NULL;

	arguments->inactive = true;
	do
	{
		free(argument);
		if (!argument_next(arguments, &argument, error))
			return false;
	} while (argument != NULL);
	if (arguments->end - arguments->at >= 2 && arguments->at[1] == '\\')
		arguments->at += 2;
	return true;
}

static bool
take_part(Arguments *arguments, PQExpBuffer value, Error *error)
{
	switch (*arguments->at)
	{
		case '\'':
			return take_single_quoted(arguments, value, error);
		case '"':
			return take_double_quoted(arguments, value, error);
		case '`':
			return take_backquoted(arguments, error);
		case ':':
			return take_reference(arguments, value, error);
		default:
			appendPQExpBufferChar(value, *arguments->at++);
			return true;
	}
}

static bool
take_single_quoted(Arguments *arguments, PQExpBuffer value, Error *error)
{
	static const char escapes[] = "nbtrf";
	static const char escaped[] = "\n\b\t\r\f";

	for (arguments->at++; arguments->at < arguments->end; arguments->at++)
	{
		const char *at = arguments->at;
		bool has_next = at + 1 < arguments->end;

		if (at[0] == '\'' && has_next && at[1] == '\'')
		{
			appendPQExpBufferChar(value, '\'');
			arguments->at++;
		}
		else if (at[0] == '\'')
		{
			arguments->at++;
			return true;
		}
		else if (at[0] != '\\' || !has_next)
			appendPQExpBufferChar(value, at[0]);
		else if (at[1] == 'x' && at + 2 < arguments->end && isxdigit((unsigned char) at[2]))
		{
			arguments->at += 2;
			if (!take_code(arguments, 16, 2, value, error))
				return false;
		}
		else if (at[1] >= '0' && at[1] <= '7')
		{
			arguments->at++;
			if (!take_code(arguments, 8, 3, value, error))
				return false;
		}
		else
		{
			const char *escape = strchr(escapes, at[1]);

			appendPQExpBufferChar(value, escape != NULL ? escaped[escape - escapes] : at[1]);
			arguments->at++;
		}
	}
	return refuse(error, "42601", "unterminated quoted string in the arguments of a meta-command", HINT_LINE);
}

/* Copied with the quotes: what they mean is for the command to say. */
static bool
take_double_quoted(Arguments *arguments, PQExpBuffer value, Error *error)
{
	const char *start = arguments->at;
	const char *closing = memchr(start + 1, '"', (size_t) (arguments->end - start - 1));

	if (closing == NULL)
		return refuse(error, "42601", "unterminated quoted identifier in the arguments of a meta-command", HINT_LINE);
	appendBinaryPQExpBuffer(value, start, (size_t) (closing + 1 - start));
	arguments->at = closing + 1;
	return true;
}

/* In a branch that is not taken nothing would be run. */
static bool
take_backquoted(Arguments *arguments, Error *error)
{
	const char *closing = memchr(arguments->at + 1, '`', (size_t) (arguments->end - arguments->at - 1));

	if (!arguments->inactive)
		return refuse(error, "0A000", "a backquoted shell command is not allowed in a script",
					  "Nothing is run in a shell here: give the value by the option \"variables\".");
	arguments->at = closing != NULL ? closing + 1 : arguments->end;
	return true;
}

/* Ends at the code's last digit. */
static bool
take_code(Arguments *arguments, int base, int most, PQExpBuffer value, Error *error)
{
	char digits[4] = "";
	char *rest;
	long code;

	strncat(digits, arguments->at, (size_t) Min(most, arguments->end - arguments->at));
	code = strtol(digits, &rest, base);
	arguments->at += rest - digits - 1;
	if (code == 0 || code > 0x7F)
		return refuse(error, "0A000", "an escape for a byte that is not ASCII is not supported in a meta-command",
					  "Write the character itself.");
	appendPQExpBufferChar(value, (char) code);
	return true;
}

static bool
take_reference(Arguments *arguments, PQExpBuffer value, Error *error)
{
	const char *name = arguments->at + 1;
	const char *end;
	char form = ':';
	const char *closing = "";
	char *variable;
	const char *text = NULL;
	VariableState state;
	bool ok = true;

	if (name < arguments->end && (*name == '\'' || *name == '"'))
	{
		form = *name++;
		closing = form == '"' ? "\"" : "'";
	}
	else if (arguments->end - name >= 2 && name[0] == '{' && name[1] == '?')
	{
		form = '?';
		closing = "}";
		name += 2;
	}
	for (end = name; end < arguments->end && options_is_name_character(*end); end++)
		;
	if (arguments->inactive || end == name ||
		(*closing != '\0' && (end == arguments->end || *end != *closing)))
	{
		appendPQExpBufferChar(value, *arguments->at++);
		return true;
	}

	variable = strndup(name, (size_t) (end - name));
	if (variable == NULL)
		return error_out_of_memory(error);
	state = variables_get(arguments->variables, variable, &text);
	free(variable);

	if (state == VARIABLE_UNSURE)
		arguments->unsure = true;
	if (form == '?')
		appendPQExpBufferStr(value, state == VARIABLE_SET ? "TRUE" : "FALSE");
	else if (state != VARIABLE_SET)
	{
		appendPQExpBufferChar(value, *arguments->at++);
		return true;
	}
	else if (form == ':')
		appendPQExpBufferStr(value, text);
	else
	{
		char *quoted = quote_value(arguments->connection, text, form);

		ok = quoted != NULL || error_out_of_memory(error);
		appendPQExpBufferStr(value, ok ? quoted : "");
		free(quoted);
	}
	arguments->at = end + strlen(closing);
	return ok;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
refuse(Error *error, const char *sqlstate, const char *message, const char *hint)
{
	error_set(error, ERROR_SCRIPT, "%s", message);
	error_sqlstate(error, sqlstate);
	error_hint(error, "%s", hint);
	return false;
}
