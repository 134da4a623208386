/*-------------------------------------------------------------------------
 *
 * resolve.h
 *	  Host names to addresses, within a deadline.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "deadline.h"

#define MOST_ADDRESSES 8

typedef struct Addresses
{
	char text[MOST_ADDRESSES][INET6_ADDRSTRLEN + 16]; /* with a scope, perhaps */
	size_t count;
} Addresses;

/* NULL after success, otherwise why not: a constant string. */
extern const char *resolve_host(const char *host, const Deadline *deadline, Addresses *addresses);

#endif /* RESOLVE_H */
