/*-------------------------------------------------------------------------
 *
 * sections.c
 *	  Which lines of a migration go up, and which go down.
 *
 * dbmate and goose keep both ways in one file, with a comment in front of
 * each: "-- migrate:up", "-- +goose Up".  The same comments, and our own
 * "-- rdsinit: no-transaction", say that no transaction is wanted.  As in those
 * tools a line counts wherever it stands, be it within a string.
 *
 * This file is compiled into the extension and into the trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "sections.h"

#include <string.h>
#include <strings.h>

#define HINT_ORDER "The section that goes up comes first, the one that goes down last."

typedef struct Words
{
	const char *at;
	const char *end;
} Words;

static void look(RdsSections *sections, const char *text, size_t length, bool leading);
static void found_up(RdsSections *sections);
static void found_down(RdsSections *sections);
static void problem(RdsSections *sections, const char *what, const char *hint);
static void dbmate_options(RdsSections *sections, Words words);
static void goose(RdsSections *sections, Words words);
static bool take_word(Words *words, const char *word);
static void skip_spaces(Words *words);
static bool is_space(char c);
static bool at_end(Words words);

void
rds_sections_begin(RdsSections *sections)
{
	memset(sections, 0, sizeof(*sections));
	sections->leading = true;
	sections->next.line = 1;
}

/*
 * rds_sections_line
 *		Looks at the next line, of which the beginning will do: no mark is long.
 *
 * The whole length is with its newline.
 */
void
rds_sections_line(RdsSections *sections, const char *line, size_t length, size_t whole_length)
{
	Words words = {line, line + length};

	if (sections->next.offset == 0 && length >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0)
		words.at += 3;
	skip_spaces(&words);
	if (words.end - words.at >= 2 && words.at[0] == '-' && words.at[1] == '-')
	{
		words.at += 2;
		skip_spaces(&words);
		if (take_word(&words, "migrate:up"))
		{
			found_up(sections);
			dbmate_options(sections, words);
		}
		else if (take_word(&words, "migrate:down"))
			found_down(sections);
		else if (take_word(&words, "+goose"))
			goose(sections, words);
		else if (sections->leading && take_word(&words, "rdsinit:") && take_word(&words, "no-transaction"))
			sections->no_transaction = true;
	}
	else if (!at_end(words))
		sections->leading = false;

	sections->next.offset += whole_length;
	sections->next.line++;
}

/* Looks at a whole text, line by line. */
void
rds_sections_text(RdsSections *sections, const char *text, size_t length)
{
	look(sections, text, length, false);
}

/* The same, only as far as there are comments. */
void
rds_sections_leading(RdsSections *sections, const char *text, size_t length)
{
	look(sections, text, length, true);
}

static void
look(RdsSections *sections, const char *text, size_t length, bool leading)
{
	const char *at = text;
	const char *end = text + length;

	while (at < end && (sections->leading || !leading))
	{
		const char *newline = memchr(at, '\n', (size_t) (end - at));
		const char *next = newline != NULL ? newline + 1 : end;

		rds_sections_line(sections, at, (size_t) (next - at), (size_t) (next - at));
		at = next;
	}
}

/* To be called behind the last line. */
void
rds_sections_end(RdsSections *sections)
{
	if (sections->problem == NULL && sections->has_down && !sections->has_up)
	{
		sections->next = sections->down;
		problem(sections, "a section that goes down, and none that goes up", HINT_ORDER);
	}
}

static void
found_up(RdsSections *sections)
{
	if (sections->has_up || sections->has_down)
		problem(sections, sections->has_up ? "a second section that goes up" : "a section that goes up behind one that goes down",
				HINT_ORDER);
	else if (!sections->leading)
		problem(sections, "statements in front of the section that goes up", "Move them into the section.");
	sections->has_up = true;
}

static void
found_down(RdsSections *sections)
{
	if (sections->has_down)
		problem(sections, "a second section that goes down", HINT_ORDER);
	else
		sections->down = sections->next;
	sections->has_down = true;
}

/* The first problem is the one that is told. */
static void
problem(RdsSections *sections, const char *what, const char *hint)
{
	if (sections->problem != NULL)
		return;
	sections->problem = what;
	sections->hint = hint;
	sections->problem_line = sections->next.line;
}

static void
dbmate_options(RdsSections *sections, Words words)
{
	while (!at_end(words))
	{
		const char *space = words.at;

		if (take_word(&words, "transaction:false"))
		{
			sections->no_transaction = true;
			continue;
		}
		while (space < words.end && !is_space(*space))
			space++;
		words.at = space;
		skip_spaces(&words);
	}
}

static void
goose(RdsSections *sections, Words words)
{
	if (take_word(&words, "Up"))
		found_up(sections);
	else if (take_word(&words, "Down"))
		found_down(sections);
	else if (take_word(&words, "NO"))
	{
		if (take_word(&words, "TRANSACTION"))
			sections->no_transaction = true;
	}
	else if (take_word(&words, "ENVSUB"))
	{
		if (take_word(&words, "ON"))
			problem(sections, "goose's substitution of environment variables, which is not done here",
					"Use psql's variables, :'name', and the option \"variables\".");
	}
}

/* Takes a word, in any case, and the spaces behind it. */
static bool
take_word(Words *words, const char *word)
{
	size_t length = strlen(word);
	Words rest = *words;

	if ((size_t) (words->end - words->at) < length || strncasecmp(words->at, word, length) != 0)
		return false;
	rest.at += length;
	if (rest.at < rest.end && !is_space(*rest.at))
		return false;
	skip_spaces(&rest);
	*words = rest;
	return true;
}

static void
skip_spaces(Words *words)
{
	while (words->at < words->end && is_space(*words->at))
		words->at++;
}

/* A NUL is none, although strchr() would find it: a file may hold any byte. */
static bool
is_space(char c)
{
	return c != '\0' && strchr(" \t\r\n", c) != NULL;
}

static bool
at_end(Words words)
{
	return words.at == words.end;
}
