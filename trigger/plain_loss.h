/*-------------------------------------------------------------------------
 *
 * plain_loss.h
 *	  What allow_data_loss has let go in plain mode, for the history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_LOSS_H
#define PLAIN_LOSS_H

#include <stdbool.h>

#include "error.h"
#include "query.h"

/* The tables of a transaction's start, those that have been lost since left out: JSON.  NULL: not looked at. */
typedef struct Losses
{
	char *tables;
} Losses;

/* All with the settings of session_for_us(). */

extern bool loss_begin(Losses *losses, const Session *session, Error *error);

/* What has been lost since this was asked last, as JSON, to be freed; NULL: nothing. */
extern bool loss_take(Losses *losses, const Session *session, char **lost, Error *error);

extern void loss_end(Losses *losses);

#endif /* PLAIN_LOSS_H */
