/*-------------------------------------------------------------------------
 *
 * naming.c
 *	  What a script's name means: a version, a repeatable, an undo script.
 *
 * Users point rdsinit at the folder that they have already, so the names are
 * those of the tools that they come from: Flyway's (V1.2__text.sql, R__, U1.2__),
 * golang-migrate's (0001_text.up.sql, .down.sql), dbmate's and goose's
 * (20260101120000_text.sql), diesel's (2026-01-01-120000_text/up.sql, down.sql)
 * and prisma's (20260101120000_text/migration.sql).
 *
 * This file is compiled into the extension and into the trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "naming.h"

#include <string.h>

#define HINT_NUMBERED "Name it as \"0001_text.sql\", or in a way that does not begin with a version."
#define HINT_FLYWAY "Name it as \"V1.2__text.sql\", with two underscores."
#define HINT_BASELINE "Say with rdsinit.baseline what a database already has, and leave the script out."

/* A part of a name. */
typedef struct Part
{
	const char *text;
	size_t length;
} Part;

static void flyway(Part stem, RdsNaming *naming);
static void numbered(Part stem, RdsNaming *naming);
static size_t dotted_length(Part text);
static size_t date_length(Part text);
static bool is_file(Part base, const char *file);
static bool cut(Part *text, const char *end);
static size_t digits(const char *text, size_t length);
static bool is_digit(char c);
static Part next_number(const char **at);

/*
 * rds_naming
 *		Looks at a script's name, relative to its bundle, with '/'.
 *
 * The version stays within the name.
 */
void
rds_naming(const char *name, RdsNaming *naming)
{
	const char *slash = strrchr(name, '/');
	Part base = {slash != NULL ? slash + 1 : name, 0};
	Part stem;
	bool down;

	memset(naming, 0, sizeof(*naming));
	naming->kind = RDS_REPEATABLE;
	base.length = strlen(base.text);
	stem = base;

	/* diesel and prisma: the directory has the version */
	down = is_file(base, "down.sql");
	if (slash != NULL && (down || is_file(base, "up.sql") || is_file(base, "migration.sql")))
	{
		const char *begin = slash;

		while (begin > name && begin[-1] != '/')
			begin--;
		stem.text = begin;
		stem.length = (size_t) (slash - begin);
	}
	else if (!cut(&stem, ".sql"))
		return;
	else if (cut(&stem, ".down"))
		down = true;
	else
		(void) cut(&stem, ".up");

	if (stem.length >= 2 && strchr("VUB", stem.text[0]) != NULL && is_digit(stem.text[1]))
		flyway(stem, naming);
	else if (stem.length >= 1 && is_digit(stem.text[0]))
		numbered(stem, naming);

	if (down)
		naming->kind = RDS_UNDO;
}

/* V1.2__text; the underscores within a version are dots. */
static void
flyway(Part stem, RdsNaming *naming)
{
	Part rest = {stem.text + 1, stem.length - 1};
	size_t length = 0;
	size_t more;

	/* numbers, with one separator each */
	while ((more = digits(rest.text + length, rest.length - length)) > 0)
	{
		length += more;
		if (length + 1 < rest.length && strchr("._", rest.text[length]) != NULL && is_digit(rest.text[length + 1]))
			length++;
		else
			break;
	}

	if (length == rest.length || rest.text[length] == '_')
	{
		bool has_separator = length + 2 <= rest.length && rest.text[length + 1] == '_';

		naming->version = rest.text;
		naming->length = length;
		naming->kind = stem.text[0] == 'U' ? RDS_UNDO : RDS_VERSIONED;
		if (stem.text[0] == 'B')
		{
			naming->problem = "is a baseline migration";
			naming->hint = HINT_BASELINE;
		}
		else if (!has_separator || length + 2 == rest.length)
		{
			naming->problem = has_separator || length == rest.length || length + 1 == rest.length
								  ? "has a version and no text"
								  : "has one underscore between its version and its text";
			naming->hint = HINT_FLYWAY;
		}
	}
}

/* 0001_text, 1.2.3_text, 01.02.03_04_text, 2026-01-01-120000_text */
static void
numbered(Part stem, RdsNaming *naming)
{
	size_t length = date_length(stem);
	size_t text;

	if (length == 0)
		length = dotted_length(stem);
	if (length < stem.length && stem.text[length] != '_')
		return;

	text = length;
	while (text < stem.length && stem.text[text] == '_')
		text++;
	naming->version = stem.text;
	naming->length = length;
	naming->kind = RDS_VERSIONED;
	if (text == stem.length)
	{
		naming->problem = "has a version and no text";
		naming->hint = HINT_NUMBERED;
	}
}

/*
 * How long a version of numbers with dots is.  Behind one that has dots, a
 * number between underscores counts as well: 01.02.03_04_text.
 */
static size_t
dotted_length(Part text)
{
	size_t length = digits(text.text, text.length);
	bool dotted = false;

	while (length + 1 < text.length && text.text[length] == '.' && is_digit(text.text[length + 1]))
	{
		length++;
		length += digits(text.text + length, text.length - length);
		dotted = true;
	}
	if (dotted && length < text.length && text.text[length] == '_')
	{
		size_t more = digits(text.text + length + 1, text.length - length - 1);

		if (more > 0 && length + 1 + more < text.length && text.text[length + 1 + more] == '_')
			length += 1 + more;
	}
	return length;
}

/* How long a version of the form 2026-01-01-120000 is, perhaps with -0001; 0: there is none. */
static size_t
date_length(Part text)
{
	static const size_t numbers[] = {4, 2, 2, 6};
	size_t length = 0;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		if (i > 0)
		{
			if (length >= text.length || text.text[length] != '-')
				return 0;
			length++;
		}
		if (digits(text.text + length, text.length - length) != numbers[i])
			return 0;
		length += numbers[i];
	}
	if (length + 1 < text.length && text.text[length] == '-' && is_digit(text.text[length + 1]))
	{
		length++;
		length += digits(text.text + length, text.length - length);
	}
	return length;
}

/* Is the text a version, as a user gives one? */
bool
rds_version_is_valid(const char *version)
{
	Part text = {version, strlen(version)};
	size_t length = date_length(text);

	if (text.length == 0)
		return false;
	if (length == text.length)
		return true;
	for (length = 0; length < text.length; length++)
	{
		size_t more = digits(version + length, text.length - length);

		if (more == 0)
			return false;
		length += more;
		if (length < text.length && (strchr("._", version[length]) == NULL || length + 1 == text.length))
			return false;
	}
	return true;
}

/*
 * rds_version_canonical
 *		Writes a version's numbers with dots between them, without zeroes in front
 *		of a number, and without numbers that are zero at the end.
 *
 * So 1, 01 and 1.0 are one version, as in Flyway; and 2026-01-01-120000 is
 * 20260101120000, 2026-01-01-120000-0000 is 20260101120000.0.  There must be room for the version and its end.
 */
void
rds_version_canonical(const char *version, size_t length, char *canonical)
{
	Part whole = {version, length};
	size_t joined = date_length(whole) > 0 ? 4 : 0; /* so many numbers are a date */
	size_t at = 0;
	size_t count = 0;
	char *to = canonical;
	char *end = canonical;

	while (at < length)
	{
		size_t number = digits(version + at, length - at);
		bool is_part = count > 0 && count < joined;

		if (!is_part)
		{
			if (count > 0)
				*to++ = '.';
			while (number > 1 && version[at] == '0')
			{
				at++;
				number--;
			}
		}
		memcpy(to, version + at, number);
		to += number;
		/* diesel has both 2026-01-01-120000 and 2026-01-01-120000-0000, and they are two */
		if (joined > 0 || count == 0 || number != 1 || version[at] != '0')
			end = to;
		at += number + 1;
		count++;
	}
	*end = '\0';
}

/* Compares two canonical versions: number by number, of any length. */
int
rds_version_compare(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0')
	{
		Part left = next_number(&a);
		Part right = next_number(&b);
		int result;

		if (left.length != right.length)
			return left.length < right.length ? -1 : 1;
		result = memcmp(left.text, right.text, left.length);
		if (result != 0)
			return result;
	}
	return (*a != '\0') - (*b != '\0');
}

static Part
next_number(const char **at)
{
	Part number = {*at, strcspn(*at, ".")};

	*at += number.length;
	*at += **at == '.';
	return number;
}

static bool
is_file(Part base, const char *file)
{
	return base.length == strlen(file) && memcmp(base.text, file, base.length) == 0;
}

/* Takes an ending off, where the text has it. */
static bool
cut(Part *text, const char *end)
{
	size_t length = strlen(end);

	if (text->length < length || memcmp(text->text + text->length - length, end, length) != 0)
		return false;
	text->length -= length;
	return true;
}

static size_t
digits(const char *text, size_t length)
{
	size_t count = 0;

	while (count < length && is_digit(text[count]))
		count++;
	return count;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}
