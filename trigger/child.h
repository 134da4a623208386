/*-------------------------------------------------------------------------
 *
 * child.h
 *	  Work in a process of its own, whose end is survived.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHILD_H
#define CHILD_H

#include <jansson.h>

#include "deadline.h"
#include "error.h"

/* Gives a new value; NULL where memory is out. */
typedef json_t *(*ChildCall)(void *argument);

/*
 * Makes the call in a child, and gives the value that it gave.  NULL with an
 * error where there is none: the child crashed, was killed, or did not end a
 * while after the deadline and was killed therefore.
 *
 * Threads and open connections stay with the parent: the call makes its own.
 */
extern json_t *child_run(ChildCall call, void *argument, const Deadline *deadline, Error *error);

#endif /* CHILD_H */
