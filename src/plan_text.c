#include "plan.h"
#include "postgres.h"
char *
rds_plan_text(const RdsPlan *plan)
{
	return "";
}
