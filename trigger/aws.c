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

/* A Region becomes a part of a host's name, and may have come from an event. */
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

static const char *field_of_arn(const char *arn, int number, size_t *length);
static const char *suffix_of(const char *region);
static bool is_region(const char *label, size_t length);

bool
aws_is_arn(const char *name)
{
	return strncmp(name, "arn:", 4) == 0;
}

bool
aws_is_secret_arn(const char *name)
{
	static const char service[] = "secretsmanager";
	size_t length;
	const char *field;

	if (!aws_is_arn(name))
		return false;
	field = field_of_arn(name, 1, &length);
	if (length == 0 || strspn(field, alphabet) < length)
		return false;
	field = field_of_arn(name, 2, &length);
	if (length != strlen(service) || strncmp(field, service, length) != 0)
		return false;
	field = field_of_arn(name, 3, &length);
	return is_region(field, length) && field[length] == ':';
}

char *
aws_region_of_arn(const char *name, const char *otherwise)
{
	size_t length = 0;
	const char *region = aws_is_arn(name) ? field_of_arn(name, 3, &length) : name;

	if (is_region(region, length))
		return strndup(region, length);
	return strdup(otherwise != NULL ? otherwise : "");
}

/* arn:PARTITION:SERVICE:REGION:…, counted from 0; one that is not there is empty. */
static const char *
field_of_arn(const char *arn, int number, size_t *length)
{
	for (; number > 0; number--)
	{
		arn += strcspn(arn, ":");
		if (*arn == ':')
			arn++;
	}
	*length = strcspn(arn, ":");
	return arn;
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

	return dash != NULL && length > 2 && strspn(label, alphabet) >= length && memchr(dash + 1, '-', length - (size_t) (dash - label) - 1) != NULL &&
		   label[length - 2] == '-' && isdigit((unsigned char) label[length - 1]);
}
