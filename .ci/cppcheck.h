/*
 * cppcheck.h
 *	  What cppcheck has to know of the server's macros, which it does not read.
 */
#define foreach(cell, list) for (cell = list_head(list); cell != NULL; cell = lnext(list, cell))
#define PG_TRY() if (1)
#define PG_CATCH() else if (2)
#define PG_FINALLY() if (3)
#define PG_END_TRY()
#define PG_VERSION_NUM 150000
#define RDS_VERSION "0"
#define RDSINIT_VERSION "0"
