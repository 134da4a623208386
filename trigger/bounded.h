/*-------------------------------------------------------------------------
 *
 * bounded.h
 *	  A call that may block, waited for only so long.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BOUNDED_H
#define BOUNDED_H

#include <stdbool.h>
#include <stdint.h>

typedef void (*BoundedCall)(void *argument);

/*
 * Makes the call in a thread of its own.  True when it has returned within so
 * many milliseconds; the argument is the caller's again.  Otherwise it is left
 * behind with its argument, which it releases when it does return.
 */
extern bool bounded_call(BoundedCall call, BoundedCall release, void *argument, int64_t timeout);

#endif /* BOUNDED_H */
