/*-------------------------------------------------------------------------
 *
 * source.h
 *	  Where the bytes of a script come from: memory, or a file on the server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_SOURCE_H
#define RDS_SOURCE_H

#include "common/sha2.h"
#include "port/pg_crc32c.h"

/* A SHA-256 in hexadecimal, with its end. */
typedef char RdsChecksum[PG_SHA256_DIGEST_STRING_LENGTH];

typedef struct RdsSource
{
	const char *path;  /* of a file; NULL for memory */
	const char *bytes; /* in memory: what there is … */
	Size length;       /* … and how much, in either case */
	Size end;          /* a reading ends here; 0: at the source's own end */

	/* of a file that is open */
	int file;
	pg_crc32c crc; /* of all bytes up to … */
	Size summed;   /* … this offset */
} RdsSource;

extern RdsSource *rds_source_memory(const char *bytes, Size length);
extern RdsSource *rds_source_file(const char *path);
extern void rds_source_open(RdsSource *source);
extern Size rds_source_read(RdsSource *source, Size offset, char *buffer, Size size);
extern pg_crc32c rds_source_close(RdsSource *source);
extern int rds_source_encoding(const RdsSource *source);
extern void rds_source_checksum(RdsSource *source, RdsChecksum checksum, bool *may_include);
extern char *rds_source_text(RdsSource *source, Size from);
extern RdsSource *rds_source_copy(const RdsSource *source);

#endif /* RDS_SOURCE_H */
