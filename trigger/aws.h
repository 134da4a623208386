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

/* The Region that an ARN names, or else the other one; to be freed. */
extern char *aws_region_of_arn(const char *name, const char *otherwise);

/* The Region in the name that RDS gives a server, or else the other one; to be freed. */
extern char *aws_region_of_host(const char *host, const char *otherwise);

/* A service's own URL in a Region, with "/" at its end; to be freed. */
extern char *aws_url(const char *service, const char *region);

#endif /* AWS_H */
