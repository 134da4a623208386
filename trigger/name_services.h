/*-------------------------------------------------------------------------
 *
 * name_services.h
 *	  Which of the C library's name services are used.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDSINIT_NAME_SERVICES_H
#define RDSINIT_NAME_SERVICES_H

#include <stdbool.h>

#include "error.h"

/*
 * In the packaged program, which is linked statically, only what it is linked
 * with is used, whatever /etc/nsswitch.conf says.  Elsewhere the file holds.
 * Has to be called before any name is looked up.  An error is that the C library refuses.
 */
extern bool name_services_use_built_in(Error *error);

#endif /* RDSINIT_NAME_SERVICES_H */
