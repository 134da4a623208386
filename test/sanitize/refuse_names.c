/*-------------------------------------------------------------------------
 *
 * refuse_names.c
 *	  A C library that does not let itself be told which name services to use.
 *
 * In the one that a package has this happens only where memory is out.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>

extern int __wrap___nss_configure_lookup(const char *database, const char *services);

int
__wrap___nss_configure_lookup(const char *database, const char *services)
{
	(void) database;
	(void) services;
	errno = ENOMEM;
	return -1;
}
