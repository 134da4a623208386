/*-------------------------------------------------------------------------
 *
 * name_services.c
 *	  Which of the C library's name services are used.
 *
 * A static glibc reads /etc/nsswitch.conf as well, and loads the machine's
 * libnss modules for what it finds there, together with the machine's own C
 * library: two of them in one process, which may well be of different versions.
 * What files and DNS need is within the static library.
 *
 *-------------------------------------------------------------------------
 */
#include "name_services.h"

#ifdef RDSINIT_STATIC

#include <errno.h>
#include <nss.h>
#include <stddef.h>
#include <string.h>

bool
name_services_use_built_in(Error *error)
{
	/* libpq may ask for the user's home directory, and libcurl for a port by its name. */
	static const char *const services[][2] = {
		{"hosts", "files dns"}, {"passwd", "files"}, {"group", "files"}, {"services", "files"}};
	size_t i;

	for (i = 0; i < sizeof(services) / sizeof(services[0]); i++)
	{
		if (__nss_configure_lookup(services[i][0], services[i][1]) != 0)
		{
			error_set(error, ERROR_INTERNAL, "the C library refuses \"%s\" for %s: %s", services[i][1], services[i][0],
					  strerror(errno));
			error_hint(error, "The configuration cannot mend that: make the package anew by ./dev package.");
			return false;
		}
	}
	return true;
}

#else

bool
name_services_use_built_in(Error *error)
{
	(void) error;
	return true;
}

#endif
