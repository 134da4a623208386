/*-------------------------------------------------------------------------
 *
 * script_text.h
 *	  The text that a cursor holds: for what belongs to script.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_SCRIPT_TEXT_H
#define RDS_SCRIPT_TEXT_H

#include "script.h"

extern void text_continue(RdsCursor *cursor, RdsPosition position);
extern void text_read_more(RdsCursor *cursor);
extern void text_end_scanner(RdsCursor *cursor);
extern void text_forget_before(RdsCursor *cursor, Size offset);
extern void text_cut(RdsCursor *cursor, Size offset);
extern void text_rebase(RdsCursor *cursor, Size offset);
extern void text_replace(RdsCursor *cursor, Size offset, Size length, const char *value,
						 const char *variable);
extern void text_change_encoding(RdsCursor *cursor);
extern RdsPosition text_position(const RdsCursor *cursor, Size offset);
extern const char *text_value_of(const RdsCursor *cursor, Size offset);
extern bool text_is_one_stretch(const RdsCursor *cursor, Size from, Size to);
extern RdsStretch *text_stretches(const RdsCursor *cursor, Size from, Size to, int *count);
extern bool text_is_value_of(const RdsCursor *cursor, Size offset, const char *name);
extern Size text_line_end(RdsCursor *cursor, Size offset);
extern RdsPosition text_next_line(RdsCursor *cursor, Size line_end);

#endif /* RDS_SCRIPT_TEXT_H */
