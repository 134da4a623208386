/*-------------------------------------------------------------------------
 *
 * secret_refusal.c
 *	  What Secrets Manager says where it gives no secret.
 *
 *-------------------------------------------------------------------------
 */
#include "secret_refusal.h"

#include <jansson.h>
#include <string.h>

static int first_line(const char *text);
static bool is_throttling(const char *code);

/*
 * AWS's own code and message.  Only the first line of each: for a wrong signature
 * the message's rest repeats the request, session token included.
 */
bool
secret_refused(const char *name, const HttpResponse *response, bool *transient, Error *error)
{
	json_t *json = json_loadb(response->body, response->length, 0, NULL);
	const char *code = json_string_value(json_object_get(json, "__type"));
	const char *message = json_string_value(json_object_get(json, "message"));

	if (message == NULL)
		message = json_string_value(json_object_get(json, "Message"));
	if (code != NULL && strchr(code, '#') != NULL)
		code = strchr(code, '#') + 1;

	*transient = response->status >= 500 || response->status == 429 || (code != NULL && is_throttling(code));

	if (code == NULL)
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": Secrets Manager answered HTTP %ld",
				  name, response->status);
	else if (message == NULL)
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": %.*s", name, first_line(code), code);
	else
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": %.*s: %.*s", name, first_line(code), code,
				  first_line(message), message);
	if (code != NULL ? strcmp(code, "AccessDeniedException") == 0 : response->status == 403)
		error_hint(error, "The function's role needs secretsmanager:GetSecretValue on the secret,"
						  " and kms:Decrypt where the secret has a key of its own.");

	json_decref(json);
	return false;
}

/* Its length, as printf() wants it. */
static int
first_line(const char *text)
{
	return (int) strcspn(text, "\r\n");
}

static bool
is_throttling(const char *code)
{
	static const char *const codes[] = {
		"ThrottlingException", "Throttling", "ThrottledException", "RequestThrottledException",
		"RequestThrottled", "TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException",
		"BandwidthLimitExceeded", "SlowDown", "PriorRequestNotComplete", "TransactionInProgressException",
		"InternalServiceError", "InternalServiceErrorException", "InternalFailure", "ServiceUnavailable",
		"ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException"};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}
