/*-------------------------------------------------------------------------
 *
 * resolve.c
 *	  Host names to addresses, within a deadline.
 *
 * libpq would resolve names itself, but waits for the name server for as long
 * as that takes, and tries the next address only when the one before has
 * refused, never when it is silent.
 *
 *-------------------------------------------------------------------------
 */
#include "resolve.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bounded.h"

typedef struct Question
{
	int result;
	struct addrinfo *list;
	char host[];
} Question;

static void ask(void *argument);
static void release(void *argument);
static void take_addresses(const struct addrinfo *list, Addresses *addresses);

const char *
resolve_host(const char *host, const Deadline *deadline, Addresses *addresses)
{
	Question *question = calloc(1, sizeof(*question) + strlen(host) + 1);
	int result;

	addresses->count = 0;
	if (question == NULL)
		return "out of memory";
	strcpy(question->host, host);

	if (!bounded_call(ask, release, question, deadline_remaining(deadline)))
		return "the name server did not answer in time";
	result = question->result;
	if (result == 0)
		take_addresses(question->list, addresses);
	release(question);

	if (result != 0)
		return gai_strerror(result);
	return addresses->count > 0 ? NULL : "it has no address";
}

static void
ask(void *argument)
{
	Question *question = argument;
	struct addrinfo hints = {0};

	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	question->result = getaddrinfo(question->host, NULL, &hints, &question->list);
}

static void
release(void *argument)
{
	Question *question = argument;

	if (question->list != NULL)
		freeaddrinfo(question->list);
	free(question);
}

static void
take_addresses(const struct addrinfo *list, Addresses *addresses)
{
	const struct addrinfo *entry;

	for (entry = list; entry != NULL && addresses->count < MOST_ADDRESSES; entry = entry->ai_next)
	{
		char *text = addresses->text[addresses->count];

		if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof(addresses->text[0]),
						NULL, 0, NI_NUMERICHOST) == 0)
			addresses->count++;
	}
}
