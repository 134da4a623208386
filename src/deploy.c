/*-------------------------------------------------------------------------
 *
 * deploy.c
 *	  A bundle deployed: in one transaction as far as its scripts allow.
 *
 * Scripts that ask for no transaction divide the bundle.  What comes before one
 * of them is committed before it runs, and stays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "tcop/pquery.h"
#include "utils/snapmgr.h"

#include "apply.h"
#include "deploy.h"
#include "steps.h"
#include "turn.h"

static void deploy_pending(List *pending, RdsFiles *files, RdsErrorContext *errctx);
static List *take_group(List *pending, int *at);
static void run_outside(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx);

/*
 * rds_deploy
 *		Applies a bundle from a procedure that may commit.
 *
 * SPI must be connected, and not atomic; files->context must outlive
 * transactions, and be current.
 */
void
rds_deploy(RdsFiles *files, RdsErrorContext *errctx)
{
	RdsLedger *ledger;
	List *pending;

	/* to wait for our turn, with no snapshot */
	SPI_commit();
	rds_turn_begin_deployment(files->options);

	EnsurePortalSnapshotExists();
	ledger = rds_history_open();
	rds_history_check_snapshot(ledger);
	pending = rds_apply_pending(files, ledger, errctx);
	rds_history_close(ledger);

	deploy_pending(pending, files, errctx);

	/* whoever comes next sees what we have done */
	SPI_commit();
	rds_turn_end_deployment();
}

static void
deploy_pending(List *pending, RdsFiles *files, RdsErrorContext *errctx)
{
	int at = 0;

	while (at < list_length(pending))
	{
		RdsScript *script = list_nth(pending, at);

		EnsurePortalSnapshotExists();
		if (script->no_transaction)
		{
			run_outside(script, files, errctx);
			at++;
		}
		else
		{
			List *group = take_group(pending, &at);
			RdsLedger *ledger = rds_history_open();

			rds_apply_group(group, files, ledger, RDS_OUTCOME_APPLIED, errctx);
			rds_history_close(ledger);
		}
	}
}

/* The scripts from here on that are one transaction. */
static List *
take_group(List *pending, int *at)
{
	List *group = NIL;

	for (; *at < list_length(pending); (*at)++)
	{
		RdsScript *script = list_nth(pending, *at);

		if (script->no_transaction)
			break;
		group = lappend(group, script);
	}
	return group;
}

/* Others may come meanwhile, and fail at once. */
static void
run_outside(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx)
{
	RdsLedger *ledger;

	SPI_commit();
	rds_turn_pause();
	EnsurePortalSnapshotExists();
	rds_steps_run(script, files, errctx);

	InvalidateCatalogSnapshot();
	rds_turn_resume(files->options);
	EnsurePortalSnapshotExists();
	ledger = rds_history_open();
	rds_apply_record(ledger, script, RDS_OUTCOME_APPLIED);
	rds_history_close(ledger);
}
