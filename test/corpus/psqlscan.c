/*-------------------------------------------------------------------------
 *
 * psqlscan.c
 *	  Where psql's own lexer ends statements; test_splitter.py asks.
 *
 * Reads scripts from standard input, each as "LENGTH\n" and its bytes.  Answers
 * each statement as "LENGTH\n" and its text, and then how the script ended:
 * "E" between statements or in one without a semicolon, "I" within a quote,
 * a parenthesis or a body, "B" at a backslash.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h>

#include <fe_utils/psqlscan.h>
#include <libpq-fe.h>

static const PsqlScanCallbacks callbacks = {NULL};

static void
split(const char *script, int length)
{
	PsqlScanState lexer = psql_scan_create(&callbacks);
	PQExpBuffer statement = createPQExpBuffer();
	promptStatus_t prompt;
	PsqlScanResult result;

	psql_scan_setup(lexer, script, length, pg_char_to_encoding("UTF8"), true);
	do
	{
		resetPQExpBuffer(statement);
		result = psql_scan(lexer, statement, &prompt);
		printf("%zu\n", statement->len);
		fwrite(statement->data, 1, statement->len, stdout);
	} while (result == PSCAN_SEMICOLON);
	printf("%s\n", result == PSCAN_BACKSLASH ? "B" : result == PSCAN_INCOMPLETE ? "I" : "E");
	fflush(stdout);

	psql_scan_finish(lexer);
	psql_scan_destroy(lexer);
	destroyPQExpBuffer(statement);
}

int
main(void)
{
	int length;

	while (scanf("%d", &length) == 1 && getchar() == '\n')
	{
		char *script = malloc(length + 1);

		if (script == NULL || fread(script, 1, length, stdin) != (size_t) length)
			return 1;
		script[length] = '\0';
		split(script, length);
		free(script);
	}
	return 0;
}
