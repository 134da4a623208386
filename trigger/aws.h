/*-------------------------------------------------------------------------
 *
 * aws.h
 *	  AWS's Regions and partitions, and where in them a service is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef AWS_H
#define AWS_H

#include <stdbool.h>

extern bool aws_is_arn(const char *name);

/* Is it an ARN of Secrets Manager, with a Region that a host's name can be made of? */
extern bool aws_is_secret_arn(const char *name);
#define AWS_SECRET_ARN_EXPECTED "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME"

/* The Region that an ARN names, or else, where it names none, the other one; to be freed. */
extern char *aws_region_of_arn(const char *name, const char *otherwise);

/* The Region in the name that RDS gives a server, or else the other one; to be freed. */
extern char *aws_region_of_host(const char *host, const char *otherwise);

/* A service's own URL in a Region, with "/" at its end; to be freed. */
extern char *aws_url(const char *service, const char *region);

#endif /* AWS_H */
