/*
 * cppcheck.h
 *	  What cppcheck has to know of the server's macros, which it does not read.
 */
#define foreach(cell, list) for (cell = list_head(list); cell != NULL; cell = lnext(list, cell))
#define for_each_from(cell, list, n) for (cell = list_nth_cell(list, n); cell != NULL; cell = lnext(list, cell))
#define forboth(a, one, b, two) for (a = list_head(one), b = list_head(two); a != NULL; a = lnext(one, a), b = lnext(two, b))
#define PG_TRY() if (1)
#define PG_CATCH() else if (2)
#define PG_FINALLY() if (3)
#define PG_END_TRY()
#define NOTICE 18
#define WARNING 19
#define ERROR 21
#define ereport(level, ...) do { if ((level) >= ERROR) abort(); } while (0)
#define elog(level, ...) ereport(level, __VA_ARGS__)
#define PG_VERSION_NUM 150000
#define RDS_VERSION "0"
#define RDSINIT_VERSION "0"
#define CppAsString2(x) #x
