/*-------------------------------------------------------------------------
 *
 * plan_html.c
 *	  A plan as a page, to be attached where changes are reviewed.
 *
 * The page is complete in itself: no script, no other file, nothing that a
 * browser would ask anybody for.  It is ASCII, whatever it is saved as.  Of the
 * scripts it shows places and what they did, never their text, in which
 * variables' values could stand.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "plan_html.h"

#define STYLE \
	":root{color-scheme:light dark;--paper:#fff;--ink:#1d2530;--faint:#5b6675;--line:#d9dee5;--panel:#f4f6f8;" \
	"--high:#b3261e;--medium:#9a5b00;--low:#3c5f8a;" \
	"--weak:#a9b4c2;--update:#6f9fd8;--share:#c9a227;--exclusive:#e07b1a;--access:#c62f2a;--block:#4d7ea8;--block2:#86acd0}" \
	"@media(prefers-color-scheme:dark){:root{--paper:#14181e;--ink:#e4e8ee;--faint:#9aa5b4;--line:#343c47;--panel:#1d232b;" \
	"--high:#ff8a80;--medium:#f0b35a;--low:#8fb8ea;" \
	"--weak:#5c6774;--update:#5f8fc8;--share:#b8962a;--exclusive:#d8782a;--access:#e0504a;--block:#5b92c4;--block2:#3d6a94}}" \
	"body{margin:0 auto;padding:24px;max-width:1120px;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}" \
	"h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 8px}p{margin:4px 0}.faint{color:var(--faint)}" \
	"a{color:inherit}.numbers{display:flex;flex-wrap:wrap;gap:8px 28px;margin:16px 0;padding:12px 16px;background:var(--panel);border-radius:8px}" \
	".numbers b{display:block;font-size:20px}.warning{border-left:4px solid;padding:4px 12px;margin:12px 0}" \
	".high{border-color:var(--high)}.medium{border-color:var(--medium)}.low{border-color:var(--low)}" \
	".severity{font-weight:600}.high .severity{color:var(--high)}.medium .severity{color:var(--medium)}.low .severity{color:var(--low)}" \
	"svg{display:block;width:100%;height:auto;background:var(--panel);border-radius:8px}" \
	"svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .faint{fill:var(--faint)}svg line{stroke:var(--line)}" \
	".b0{fill:var(--block)}.b1{fill:var(--block2)}.weak{fill:var(--weak)}.update{fill:var(--update)}.share{fill:var(--share)}" \
	".exclusive{fill:var(--exclusive)}.access{fill:var(--access)}.rewritten{fill:url(#hatch);stroke:var(--ink)}" \
	".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}" \
	"th,td{text-align:left;vertical-align:top;padding:5px 8px;border-bottom:1px solid var(--line)}th{color:var(--faint);font-weight:600}" \
	"td.n,th.n{text-align:right;white-space:nowrap}td div{overflow-wrap:anywhere}code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}" \
	"tr{break-inside:avoid}.warning{break-inside:avoid}" \
	"@media print{body{max-width:none;padding:0;font-size:11px}svg,.numbers{print-color-adjust:exact;-webkit-print-color-adjust:exact}}"

static void add_numbers(StringInfo html, const RdsPlan *plan);
static void add_warnings(StringInfo html, const RdsPlan *plan);
static void add_steps(StringInfo html, const RdsPlan *plan);
static void add_step(StringInfo html, const RdsPlan *plan, const RdsPlanStep *step);
static void add_objects(StringInfo html, const char *verb, const List *objects);
static void add_number(StringInfo html, const char *number, const char *what);

char *
rds_plan_html(const RdsPlan *plan)
{
	StringInfoData html;
	ListCell *cell;

	initStringInfo(&html);
	appendStringInfoString(&html,
						   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
						   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
						   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
						   "<link rel=\"icon\" href=\"data:,\">\n"
						   "<title>rdsinit plan</title>\n<style>" STYLE "</style>\n</head>\n<body>\n<h1>rdsinit plan</h1>\n"
						   "<p class=\"faint\">Each statement was run, and all was rolled back. Times and rows are those of the database that was asked.</p>\n");
	if (plan->steps == NIL)
		appendStringInfoString(&html, "<p>Nothing is to be done.</p>\n");
	else
	{
		appendStringInfoString(&html, "<p>Scripts, in order:");
		foreach(cell, plan->scripts)
		{
			appendStringInfoString(&html, foreach_current_index(cell) > 0 ? ", <code>" : " <code>");
			rds_html_escape(&html, lfirst(cell));
			appendStringInfoString(&html, "</code>");
		}
		appendStringInfoString(&html, "</p>\n");
		add_numbers(&html, plan);
		rds_html_picture(&html, plan);
		add_warnings(&html, plan);
		add_steps(&html, plan);
	}
	appendStringInfoString(&html, "</body>\n</html>\n");
	return html.data;
}

/*
 * rds_html_escape
 *		Adds text, in which nothing is markup, nor anything but ASCII.
 */
void
rds_html_escape(StringInfo html, const char *text)
{
	bool has_encoding = GetDatabaseEncoding() != PG_SQL_ASCII;
	const unsigned char *at = (const unsigned char *) (has_encoding ? pg_server_to_any(text, strlen(text), PG_UTF8) : text);

	while (*at != '\0')
	{
		int length = has_encoding ? pg_utf_mblen(at) : 1;

		if (*at == '<')
			appendStringInfoString(html, "&lt;");
		else if (*at == '>')
			appendStringInfoString(html, "&gt;");
		else if (*at == '&')
			appendStringInfoString(html, "&amp;");
		else if (*at == '"')
			appendStringInfoString(html, "&quot;");
		else if (*at == '\'')
			appendStringInfoString(html, "&#39;");
		else if (*at >= 0x20 && *at < 0x7f)
			appendStringInfoChar(html, (char) *at);
		else if (*at < 0x80 || !has_encoding)
			appendStringInfoChar(html, '?');
		else if (rds_plan_turns_text(utf8_to_unicode(at)))
			appendStringInfoChar(html, '?');
		else
			appendStringInfo(html, "&#%u;", (unsigned int) utf8_to_unicode(at));
		at += length;
	}
}

static void
add_numbers(StringInfo html, const RdsPlan *plan)
{
	int run = 0;
	int count = 0;
	double rows = 0;
	int64 wal_bytes = 0;
	ListCell *cell;

	foreach(cell, plan->steps)
	{
		const RdsPlanStep *step = lfirst(cell);

		run += step->run;
		rows += (double) step->rows;
		wal_bytes += step->wal_bytes;
		count += list_length(step->warnings);
	}
	appendStringInfoString(html, "<div class=\"numbers\">");
	add_number(html, rds_plan_count(run), "statements run");
	if (run < list_length(plan->steps))
		add_number(html, rds_plan_count(list_length(plan->steps) - run), "not run, since they ask for no transaction");
	add_number(html, rds_plan_time(plan->duration), "in all");
	add_number(html, rds_plan_count(rows), "rows changed");
	add_number(html, rds_plan_bytes(wal_bytes), "of WAL");
	add_number(html, rds_plan_count(count), "warnings");
	appendStringInfoString(html, "</div>\n");
}

static void
add_number(StringInfo html, const char *number, const char *what)
{
	appendStringInfo(html, "<div><b>%s</b><span class=\"faint\">%s</span></div>", number, what);
}

static void
add_warnings(StringInfo html, const RdsPlan *plan)
{
	List *worst = rds_plan_worst(plan);
	ListCell *cell;

	if (worst == NIL)
		return;
	appendStringInfoString(html, "<h2>Warnings, the worst first</h2>\n");
	foreach(cell, worst)
	{
		const RdsPlanFinding *finding = lfirst(cell);
		const char *severity = rds_plan_severity(finding->warning->severity);

		appendStringInfo(html, "<div class=\"warning %s\"><p><span class=\"severity\">%s</span> <a href=\"#s%d\"><code>", severity, severity,
						 finding->step->number);
		rds_html_escape(html, rds_plan_place(finding->step));
		appendStringInfo(html, "</code></a> %s <span class=\"faint\">%s</span></p><p>", finding->step->tag, finding->warning->rule);
		rds_html_escape(html, finding->warning->message);
		appendStringInfoString(html, "</p><p class=\"faint\">");
		rds_html_escape(html, finding->warning->advice);
		appendStringInfoString(html, "</p></div>\n");
	}
}

static void
add_steps(StringInfo html, const RdsPlan *plan)
{
	ListCell *cell;

	appendStringInfoString(html,
						   "<h2>Statements</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th class=\"n\">#</th><th>Where</th><th>Statement</th>"
						   "<th class=\"n\">Time</th><th class=\"n\">Rows</th><th class=\"n\">WAL</th><th>What it does</th></tr></thead>\n<tbody>\n");
	foreach(cell, plan->steps)
		add_step(html, plan, lfirst(cell));
	appendStringInfoString(html, "</tbody></table></div>\n");
}

static void
add_step(StringInfo html, const RdsPlan *plan, const RdsPlanStep *step)
{
	ListCell *cell;

	appendStringInfo(html, "<tr id=\"s%d\"><td class=\"n\">%d</td><td><code>", step->number, step->number);
	rds_html_escape(html, psprintf("%s:%d:%d", step->script, step->line, step->column));
	appendStringInfo(html, "</code></td><td>%s</td>", step->tag);
	if (step->run)
		appendStringInfo(html, "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td>", rds_plan_time(step->duration),
						 rds_plan_count((double) step->rows), rds_plan_bytes(step->wal_bytes));
	else
		appendStringInfoString(html, "<td class=\"n\"></td><td class=\"n\"></td><td class=\"n\"></td><td><div class=\"faint\">not run</div>");
	add_objects(html, "makes", step->made);
	add_objects(html, "alters", step->altered);
	add_objects(html, "drops", step->dropped);
	foreach(cell, step->locks)
	{
		const RdsPlanLock *lock = lfirst(cell);

		/* what queries take is of no interest to people */
		if (lock->mode <= RowExclusiveLock && !lock->rewritten)
			continue;
		appendStringInfo(html, "<div>%s%s%s <code>", lock->taken ? "locks" : "",
						 lock->rewritten ? (lock->taken ? ", rewrites" : "rewrites") : "",
						 lock->scanned ? (lock->taken || lock->rewritten ? ", scans" : "scans") : "");
		rds_html_escape(html, lock->relation->name);
		appendStringInfo(html, "</code> <span class=\"faint\">%s, %s rows, %s", rds_plan_mode(lock->mode),
						 rds_plan_count(lock->relation->rows), rds_plan_bytes(lock->relation->bytes));
		if (lock->taken)
			appendStringInfo(html, ", held for %s", rds_plan_time(rds_plan_held(plan, lock)));
		appendStringInfoString(html, "</span></div>");
	}
	foreach(cell, step->warnings)
	{
		const RdsPlanWarning *warning = lfirst(cell);

		appendStringInfo(html, "<div class=\"%s\"><span class=\"severity\">", rds_plan_severity(warning->severity));
		rds_html_escape(html, warning->message);
		appendStringInfoString(html, "</span></div>");
	}
	appendStringInfoString(html, "</td></tr>\n");
}

static void
add_objects(StringInfo html, const char *verb, const List *objects)
{
	ListCell *cell;

	foreach(cell, objects)
	{
		appendStringInfo(html, "<div>%s <code>", verb);
		rds_html_escape(html, lfirst(cell));
		appendStringInfoString(html, "</code></div>");
	}
}
