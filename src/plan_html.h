/*-------------------------------------------------------------------------
 *
 * plan_html.h
 *	  What the two halves of a plan's page share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_PLAN_HTML_H
#define RDS_PLAN_HTML_H

#include "lib/stringinfo.h"

#include "plan.h"

extern void rds_html_escape(StringInfo html, const char *text);
extern void rds_html_picture(StringInfo html, const RdsPlan *plan);

#endif /* RDS_PLAN_HTML_H */
