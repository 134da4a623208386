#include "plan.h"
#include "postgres.h"
char *
rds_plan_html(const RdsPlan *plan)
{
	return "";
}
