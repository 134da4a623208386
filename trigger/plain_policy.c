/*-------------------------------------------------------------------------
 *
 * plain_policy.c
 *	  Which statements a script may hold.
 *
 * What cannot run inside a transaction the server refuses when it is reached,
 * and all is rolled back; here is what would end our transaction, or talk to us
 * instead of the server.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_policy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Enough for every way to write a statement that matters here. */
#define LONGEST_WORDS 256

#define HINT_WHOLE_CALL \
	"All of a bundle is one transaction, which an error rolls back: leave the statement out."
#define HINT_OUTSIDE \
	"Run it outside of the bundle."
#define HINT_MODES \
	"A bundle's transaction is READ COMMITTED and READ WRITE: leave the modes out."

/* A statement that begins with the words is refused, under the name. */
typedef struct Refusal
{
	const char *words;
	const char *name;
	const char *hint;
} Refusal;

static const Refusal refusals[] = {
	{"ROLLBACK PREPARED", "ROLLBACK PREPARED", HINT_OUTSIDE},
	{"ROLLBACK TO", "ROLLBACK TO SAVEPOINT", HINT_WHOLE_CALL},
	{"ROLLBACK WORK TO", "ROLLBACK TO SAVEPOINT", HINT_WHOLE_CALL},
	{"ROLLBACK TRANSACTION TO", "ROLLBACK TO SAVEPOINT", HINT_WHOLE_CALL},
	{"ROLLBACK", "ROLLBACK", HINT_WHOLE_CALL},
	{"ABORT", "ROLLBACK", HINT_WHOLE_CALL},
	{"SAVEPOINT", "SAVEPOINT", "Where part of a script may fail, write a DO block with BEGIN … EXCEPTION."},
	{"RELEASE", "RELEASE SAVEPOINT", HINT_WHOLE_CALL},
	{"PREPARE TRANSACTION", "PREPARE TRANSACTION", HINT_WHOLE_CALL},
	{"COMMIT PREPARED", "COMMIT PREPARED", HINT_OUTSIDE},
	{"SET TRANSACTION", "SET TRANSACTION", HINT_MODES},
	{"SET LOCAL TRANSACTION", "SET TRANSACTION", HINT_MODES},
	{"SET SESSION TRANSACTION", "SET TRANSACTION", HINT_MODES}};

/* The modes that our transaction has, so that BEGIN may ask for them. */
static const char *const granted_modes[] = {
	"ISOLATION LEVEL READ COMMITTED", "READ WRITE", "NOT DEFERRABLE"};

static bool check_begin(const char *modes, Error *error);
static bool check_commit(const char *rest, Error *error);
static void read_words(TokenCursor *cursor, char *words, size_t size);
static const char *after(const char *words, const char *prefix);
static const char *after_work(const char *words);
static bool refuse(Error *error, const char *name, const char *hint);

bool
policy_check(TokenCursor cursor, Verdict *verdict, Error *error)
{
	char words[LONGEST_WORDS];
	const char *rest;
	size_t i;

	read_words(&cursor, words, sizeof(words));

	if (words[0] == '\0' && cursor.offset >= cursor.end)
	{
		*verdict = VERDICT_EMPTY;
		return true;
	}

	*verdict = VERDICT_TAKEN_OUT;
	if ((rest = after(words, "BEGIN")) != NULL)
		return check_begin(after_work(rest), error);
	if ((rest = after(words, "START TRANSACTION")) != NULL)
		return check_begin(rest, error);

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
	{
		if (after(words, refusals[i].words) != NULL)
			return refuse(error, refusals[i].name, refusals[i].hint);
	}
	if ((rest = after(words, "COMMIT")) != NULL || (rest = after(words, "END")) != NULL)
		return check_commit(after_work(rest), error);

	*verdict = VERDICT_RUN;
	return true;
}

/* Outside of parentheses, COPY has FROM or TO exactly once before its options. */
bool
policy_is_copy_from_stdin(TokenCursor cursor)
{
	Token token;
	int depth = 0;

	if (!token_next(&cursor, &token) || !token_is(&cursor, &token, "COPY"))
		return false;
	while (token_next(&cursor, &token))
	{
		if (token.kind == TOKEN_OPEN)
			depth++;
		else if (token.kind == TOKEN_CLOSE)
			depth--;
		else if (depth == 0 && token_is(&cursor, &token, "TO"))
			return false;
		else if (depth == 0 && token_is(&cursor, &token, "FROM"))
			return token_next(&cursor, &token) && token_is(&cursor, &token, "STDIN");
	}
	return false;
}

/* A value that is none of these, or DEFAULT, is found out when it is set. */
void
policy_follow_strings(TokenCursor cursor, bool *standard_strings)
{
	static const char *const on[] = {"on", "true", "yes", "'on'", "'true'", "'yes'", "1"};
	static const char *const off[] = {"off", "false", "no", "'off'", "'false'", "'no'", "0"};
	Token token;
	bool ok = token_next(&cursor, &token) && token_is(&cursor, &token, "SET") && token_next(&cursor, &token);
	size_t i;

	if (ok && (token_is(&cursor, &token, "SESSION") || token_is(&cursor, &token, "LOCAL")))
		ok = token_next(&cursor, &token);
	if (!ok || !token_is(&cursor, &token, "standard_conforming_strings"))
		return;

	/* "=" or TO, and the value. */
	if (!token_next(&cursor, &token) || !token_next(&cursor, &token))
		return;
	for (i = 0; i < sizeof(on) / sizeof(on[0]); i++)
	{
		if (token_has_text(&cursor, &token, on[i]))
			*standard_strings = true;
		else if (token_has_text(&cursor, &token, off[i]))
			*standard_strings = false;
	}
}

static bool
check_begin(const char *modes, Error *error)
{
	while (*modes != '\0')
	{
		const char *rest = NULL;
		size_t i;

		for (i = 0; i < sizeof(granted_modes) / sizeof(granted_modes[0]) && rest == NULL; i++)
			rest = after(modes, granted_modes[i]);
		if (rest == NULL)
			return refuse(error, "BEGIN with modes that the transaction does not have", HINT_MODES);
		modes = rest;
	}
	return true;
}

/* A COMMIT that is not understood must not get to the server. */
static bool
check_commit(const char *rest, Error *error)
{
	if (rest[0] == '\0' || strcmp(rest, "AND NO CHAIN") == 0)
		return true;
	if (strcmp(rest, "AND CHAIN") == 0)
		return refuse(error, "COMMIT AND CHAIN", HINT_WHOLE_CALL);
	error_set(error, ERROR_SCRIPT, "syntax error in COMMIT");
	error_sqlstate(error, "42601");
	return false;
}

/*
 * The words that a statement begins with, in upper case and with one space
 * between them; commas are left out, and anything else is a "?".
 */
static void
read_words(TokenCursor *cursor, char *words, size_t size)
{
	size_t used = 0;
	Token token;

	words[0] = '\0';
	while (token_next(cursor, &token))
	{
		const char *text = cursor->text + token.offset;
		bool is_word;
		size_t i;

		if (token.kind == TOKEN_OTHER && (*text == ';' || (*text == ',' && used > 0)))
			continue;
		is_word = token.kind == TOKEN_WORD && used + token.length + 2 <= size;
		if (used + 3 > size)
			return;
		if (used > 0)
			words[used++] = ' ';
		for (i = 0; is_word && i < token.length; i++)
			words[used++] = (char) toupper((unsigned char) text[i]);
		if (!is_word)
			words[used++] = '?';
		words[used] = '\0';
		if (!is_word)
			return;
	}
}

/* What follows a prefix of whole words; NULL: it is none. */
static const char *
after(const char *words, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(words, prefix, length) != 0)
		return NULL;
	if (words[length] == '\0')
		return words + length;
	return words[length] == ' ' ? words + length + 1 : NULL;
}

static const char *
after_work(const char *words)
{
	const char *rest = after(words, "WORK");

	if (rest == NULL)
		rest = after(words, "TRANSACTION");
	return rest != NULL ? rest : words;
}

static bool
refuse(Error *error, const char *name, const char *hint)
{
	error_set(error, ERROR_SCRIPT, "%s is not allowed in a script", name);
	error_sqlstate(error, "0A000");
	error_hint(error, "%s", hint);
	return false;
}
