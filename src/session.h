/*-------------------------------------------------------------------------
 *
 * session.h
 *	  What a script leaves in the session, and no rollback takes back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_SESSION_H
#define RDS_SESSION_H

#include "nodes/pg_list.h"

typedef struct RdsSessionState
{
	List *prepared; /* names of prepared statements */
	List *advisory; /* of LOCKTAG */
} RdsSessionState;

extern void rds_session_note(RdsSessionState *state);
extern void rds_session_restore(const RdsSessionState *state);

#endif /* RDS_SESSION_H */
