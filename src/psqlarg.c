/*-------------------------------------------------------------------------
 *
 * psqlarg.c
 *	  The arguments of psql's meta-commands, by psql's rules: see "Meta-Commands"
 *	  in psql's manual page.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "parser/scansup.h"

#include "psqlarg.h"

static void refuse_backquotes(RdsArguments *arguments);
static void take_reference(RdsArguments *arguments, StringInfo value);
static void take_single_quoted(RdsArguments *arguments, StringInfo value);
static void take_double_quoted(RdsArguments *arguments, StringInfo value);
static const char *take_code(const char *at, const char *end, int base, int most, StringInfo value);
static void skip_space(RdsArguments *arguments);

/* The command's own name, which ends at white space or a backslash. */
char *
rds_argument_name(RdsArguments *arguments)
{
	const char *start = arguments->at;

	while (arguments->at < arguments->end && !scanner_isspace(*arguments->at) && *arguments->at != '\\')
		arguments->at++;
	return pnstrdup(start, arguments->at - start);
}

/* The next argument, in the current memory context; NULL where there is none. */
char *
rds_argument_next(RdsArguments *arguments)
{
	StringInfoData value;

	skip_space(arguments);
	if (arguments->at == arguments->end || *arguments->at == '\\')
		return NULL;

	initStringInfo(&value);
	while (arguments->at < arguments->end && !scanner_isspace(*arguments->at) && *arguments->at != '\\')
	{
		switch (*arguments->at)
		{
			case '\'':
				take_single_quoted(arguments, &value);
				break;
			case '"':
				take_double_quoted(arguments, &value);
				break;
			case '`':
				refuse_backquotes(arguments);
				break;
			case ':':
				take_reference(arguments, &value);
				break;
			default:
				appendStringInfoChar(&value, *arguments->at++);
		}
	}
	return value.data;
}

/* All that is left of the line, as it stands, without white space around it. */
char *
rds_argument_rest(RdsArguments *arguments)
{
	const char *start;
	const char *end = arguments->end;

	skip_space(arguments);
	start = arguments->at;
	while (end > start && scanner_isspace(end[-1]))
		end--;
	arguments->at = arguments->end;
	return pnstrdup(start, end - start);
}

/* Double quotes around a part of an argument are taken away, and doubled ones halved. */
void
rds_argument_strip_quotes(char *argument)
{
	char *to = argument;
	bool quoted = false;

	for (const char *at = argument; *at != '\0'; at++)
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

/*
 * What is left of a command's arguments is passed over, as psql does (with a
 * warning), and so are two backslashes, after which SQL goes on.
 */
void
rds_arguments_end(RdsArguments *arguments)
{
	arguments->inactive = true;
	while (rds_argument_next(arguments) != NULL)
		;
	if (arguments->end - arguments->at >= 2 && arguments->at[0] == '\\' && arguments->at[1] == '\\')
		arguments->at += 2;
}

/* In a branch that is not taken they are passed over, as psql does it. */
static void
refuse_backquotes(RdsArguments *arguments)
{
	const char *closing = memchr(arguments->at + 1, '`', arguments->end - arguments->at - 1);

	if (!arguments->inactive)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a backquoted shell command is not allowed in a script"),
				 errhint("Nothing is run in a shell here: give the value by the option \"variables\".")));
	arguments->at = closing != NULL ? closing + 1 : arguments->end;
}

static void
take_reference(RdsArguments *arguments, StringInfo value)
{
	RdsReference reference = {0};
	RdsVariableState state = RDS_VARIABLE_UNSET;

	rds_reference_read(arguments->at, &reference);
	if (reference.length > 0 && !arguments->inactive)
		state = rds_reference_resolve(arguments->variables, &reference, value);

	if (state == RDS_VARIABLE_UNSURE)
		arguments->unsure = true;
	if (state == RDS_VARIABLE_SET)
		arguments->at += reference.length;
	else
		appendStringInfoChar(value, *arguments->at++);
}

static void
take_single_quoted(RdsArguments *arguments, StringInfo value)
{
	static const char escapes[] = "nbtrf";
	static const char escaped[] = "\n\b\t\r\f";
	const char *at = arguments->at + 1;
	const char *end = arguments->end;

	while (at < end)
	{
		if (at[0] == '\'' && at + 1 < end && at[1] == '\'')
		{
			appendStringInfoChar(value, '\'');
			at += 2;
		}
		else if (at[0] == '\'')
		{
			arguments->at = at + 1;
			return;
		}
		else if (at[0] != '\\' || at + 1 == end)
			appendStringInfoChar(value, *at++);
		else if (at[1] == 'x' && at + 2 < end && isxdigit((unsigned char) at[2]))
			at = take_code(at + 2, end, 16, 2, value);
		else if (at[1] >= '0' && at[1] <= '7')
			at = take_code(at + 1, end, 8, 3, value);
		else
		{
			const char *escape = strchr(escapes, at[1]);

			appendStringInfoChar(value, escape != NULL ? escaped[escape - escapes] : at[1]);
			at += 2;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("unterminated quoted string in the arguments of a meta-command"),
			 errhint("A meta-command ends with its line.")));
}

/* Copied with the quotes: what they mean is for the command to say. */
static void
take_double_quoted(RdsArguments *arguments, StringInfo value)
{
	const char *closing = memchr(arguments->at + 1, '"', arguments->end - arguments->at - 1);

	if (closing == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("unterminated quoted identifier in the arguments of a meta-command"),
				 errhint("A meta-command ends with its line.")));
	appendBinaryStringInfo(value, arguments->at, closing + 1 - arguments->at);
	arguments->at = closing + 1;
}

static const char *
take_code(const char *at, const char *end, int base, int most, StringInfo value)
{
	int code = 0;

	for (int i = 0; i < most && at < end; i++, at++)
	{
		int digit = isdigit((unsigned char) *at)    ? *at - '0'
					: isxdigit((unsigned char) *at) ? pg_tolower((unsigned char) *at) - 'a' + 10
													: base;

		if (digit >= base)
			break;
		code = code * base + digit;
	}
	if (code == 0 || code > 0x7F)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("an escape for a byte that is not ASCII is not supported in a meta-command"),
				 errhint("Write the character itself.")));
	appendStringInfoChar(value, (char) code);
	return at;
}

static void
skip_space(RdsArguments *arguments)
{
	while (arguments->at < arguments->end && scanner_isspace(*arguments->at))
		arguments->at++;
}
