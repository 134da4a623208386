/*-------------------------------------------------------------------------
 *
 * body.h
 *	  BEGIN ATOMIC bodies, whose semicolons end no statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_BODY_H
#define RDS_BODY_H

/*
 * How far the tokens of a statement have come on the way into a body:
 * CREATE [ OR REPLACE ] { FUNCTION | PROCEDURE } … BEGIN ATOMIC … END.
 */
typedef enum RdsBody
{
	RDS_BODY_START,
	RDS_BODY_CREATE,
	RDS_BODY_OR,
	RDS_BODY_REPLACE,
	RDS_BODY_OTHER, /* CREATE of anything else, or what follows a body */
	RDS_BODY_ROUTINE,
	RDS_BODY_BEGIN,
	RDS_BODY_STATEMENT, /* within a statement of the body */
	RDS_BODY_BETWEEN,   /* in the body, where END may come */
	RDS_BODY_NONE       /* no CREATE statement at all */
} RdsBody;

extern RdsBody rds_body_next(RdsBody body, int token, const char *text, int depth);
extern bool rds_body_is_open(RdsBody body);
extern bool rds_is_word(int token, const char *text, const char *word);

#endif /* RDS_BODY_H */
