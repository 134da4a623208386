/*-------------------------------------------------------------------------
 *
 * aws.c
 *	  AWS's Regions and partitions, and where in them a service is.
 *
 *-------------------------------------------------------------------------
 */
#include "aws.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Partition
{
	const char *region_prefix;
	const char *suffix;
} Partition;

/* The last one is all others'; aws and aws-us-gov have the same. */
static const Partition partitions[] = {
	{"cn-", "amazonaws.com.cn"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
	{"eusc-", "amazonaws.eu"},
	{"", "amazonaws.com"}};

static const char *suffix_of(const char *region);
static bool is_region(const char *label, size_t length);

bool
aws_is_arn(const char *name)
{
	return strncmp(name, "arn:", 4) == 0;
}

/* arn:PARTITION:SERVICE:REGION:… */
char *
aws_region_of_arn(const char *name, const char *otherwise)
{
	const char *field = aws_is_arn(name) ? name : NULL;
	int colons;

	for (colons = 0; colons < 3 && field != NULL; colons++)
	{
		field = strchr(field, ':');
		if (field != NULL)
			field++;
	}
	if (field != NULL && strcspn(field, ":") > 0)
		return strndup(field, strcspn(field, ":"));
	return strdup(otherwise != NULL ? otherwise : "");
}

/* ….REGION.rds.amazonaws.com, in China ….rds.REGION.amazonaws.com.cn */
char *
aws_region_of_host(const char *host, const char *otherwise)
{
	const char *rds = strstr(host, ".rds.");
	const char *label = rds;
	const char *after;

	if (rds != NULL)
	{
		after = rds + strlen(".rds.");
		while (label > host && label[-1] != '.')
			label--;
		if (is_region(label, (size_t) (rds - label)))
			return strndup(label, (size_t) (rds - label));
		if (is_region(after, strcspn(after, ".")))
			return strndup(after, strcspn(after, "."));
	}
	return strdup(otherwise != NULL ? otherwise : "");
}

char *
aws_url(const char *service, const char *region)
{
	char *url = NULL;

	if (asprintf(&url, "https://%s.%s.%s/", service, region, suffix_of(region)) < 0)
		return NULL;
	return url;
}

static const char *
suffix_of(const char *region)
{
	const Partition *partition = partitions;

	while (strncmp(region, partition->region_prefix, strlen(partition->region_prefix)) != 0)
		partition++;
	return partition->suffix;
}

/* "eu-central-1" is one, "amazonaws" and a server's own name are none. */
static bool
is_region(const char *label, size_t length)
{
	const char *dash = memchr(label, '-', length);

	return dash != NULL && length > 2 && memchr(dash + 1, '-', length - (size_t) (dash - label) - 1) != NULL &&
		   label[length - 2] == '-' && isdigit((unsigned char) label[length - 1]);
}
