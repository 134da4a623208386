/*-------------------------------------------------------------------------
 *
 * metrics.c
 *	  An invocation's numbers, in CloudWatch's embedded metric format.
 *
 * CloudWatch finds the member "_aws" in a line of the log, and makes metrics of
 * the members that it names.  Each combination of dimensions is a metric that
 * costs money: there is one dimension, the function; what else there is to tell is
 * a member that can be searched for.
 *
 *-------------------------------------------------------------------------
 */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "deadline.h"
#include "log.h"
#include "text.h"

#define NAMESPACE "rdsinit"
#define DIMENSION "FunctionName"

static json_t *directive(void);

void
metrics_log(const Outcome *outcome, const Error *error)
{
	const char *function = getenv("AWS_LAMBDA_FUNCTION_NAME");
	struct timespec now;
	json_int_t duration = outcome->started > 0 ? (json_int_t) (clock_now() - outcome->started) : 0;
	json_int_t scripts = 0;
	json_int_t statements = 0;
	json_t *fields;
	size_t i;

	if (function == NULL || function[0] == '\0')
		return;
	for (i = 0; i < outcome->count; i++)
	{
		if (strcmp(outcome->scripts[i].outcome, "applied") != 0)
			continue;
		scripts++;
		statements += outcome->scripts[i].statements;
	}
	clock_gettime(CLOCK_REALTIME, &now);

	fields = json_pack("{s:{s:I, s:[o]}, s:o, s:I, s:I, s:I, s:I, s:i}",
					   "_aws", "Timestamp", (json_int_t) now.tv_sec * 1000 + now.tv_nsec / 1000000,
					   "CloudWatchMetrics", directive(),
					   DIMENSION, text_json(function),
					   "Duration", duration, "Scripts", scripts, "Statements", statements,
					   "Retries", (json_int_t) outcome->retries, "Failures", error != NULL ? 1 : 0);
	if (outcome->mode != NULL)
		json_object_set_new(fields, "mode", json_string(outcome->mode));
	if (outcome->database != NULL)
		json_object_set_new(fields, "database", text_json(outcome->database));
	if (error != NULL)
		json_object_set_new(fields, "errorType", json_string(error->type));
	log_line(LEVEL_INFO, fields, "metrics");
}

static json_t *
directive(void)
{
	static const struct
	{
		const char *name;
		const char *unit;
	} metrics[] = {
		{"Duration", "Milliseconds"}, {"Scripts", "Count"}, {"Statements", "Count"}, {"Retries", "Count"}, {"Failures", "Count"}};
	json_t *definitions = json_array();
	size_t i;

	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		json_array_append_new(definitions, json_pack("{s:s, s:s}", "Name", metrics[i].name, "Unit", metrics[i].unit));
	return json_pack("{s:s, s:[[s]], s:o}", "Namespace", NAMESPACE, "Dimensions", DIMENSION, "Metrics", definitions);
}
