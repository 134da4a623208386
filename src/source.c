/*-------------------------------------------------------------------------
 *
 * source.c
 *	  Where the bytes of a script come from: memory, or a file on the server.
 *
 * A file is read piece by piece, however large it is, and more than once: for
 * its checksum, to be checked, to be run.  So what is read is summed up each
 * time: a file that changed in between was not the one that was checked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cryptohash.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "source.h"

/* How much is read at a time for a checksum. */
#define CHECKSUM_PIECE (256 * 1024)

rds_noreturn static void report_read_error(const RdsSource *source);
static void update_hash(pg_cryptohash_ctx *hash, const char *data, Size length);
static bool has_include(const char *text, Size length);
static bool hash_piece(pg_cryptohash_ctx *hash, const char *piece, Size length, bool return_before);

/* A script in memory, which is kept, not copied; it need not end in a NUL. */
RdsSource *
rds_source_memory(const char *bytes, Size length)
{
	RdsSource *source = palloc0(sizeof(RdsSource));

	source->bytes = bytes;
	source->length = length;
	source->file = -1;

	return source;
}

/* A script in a file, whose path is kept.  Nothing is opened yet. */
RdsSource *
rds_source_file(const char *path)
{
	RdsSource *source = palloc0(sizeof(RdsSource));

	source->path = path;
	source->file = -1;

	return source;
}

/* Another reading of the same bytes, in the current memory context. */
RdsSource *
rds_source_copy(const RdsSource *source)
{
	RdsSource *copy = palloc(sizeof(RdsSource));

	*copy = *source;
	copy->file = -1;

	return copy;
}

/*
 * rds_source_open
 *		Begins a reading.  What is open is closed by rds_source_close, or at the
 *		end of the subtransaction.
 *
 * Raises an error for a file that cannot be read, or is none.
 */
void
rds_source_open(RdsSource *source)
{
	struct stat status;

	source->summed = 0;
	INIT_CRC32C(source->crc);
	if (source->path == NULL)
		return;

	/*
	 * Not blocking, since opening a pipe would wait for its other end.  The path
	 * has no symbolic links left: one that is there now has been put there since.
	 */
	source->file = OpenTransientFile(source->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | PG_BINARY);
	if (source->file < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", source->path)));
	if (fstat(source->file, &status) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", source->path)));
	if (!S_ISREG(status.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", source->path)));
	source->length = status.st_size;
	if (source->end > 0)
		source->length = Min(source->length, source->end);
}

/*
 * rds_source_read
 *		Reads up to size bytes from an offset on; fewer only where the source ends.
 */
Size
rds_source_read(RdsSource *source, Size offset, char *buffer, Size size)
{
	Size done = 0;

	if (source->path == NULL)
	{
		Size length = source->end > 0 ? Min(source->length, source->end) : source->length;

		if (offset >= length)
			return 0;
		done = Min(size, length - offset);
		memcpy(buffer, source->bytes + offset, done);
		return done;
	}

	if (source->end > 0)
		size = Min(size, source->end - Min(offset, source->end));
	while (done < size)
	{
		ssize_t got;

		CHECK_FOR_INTERRUPTS();
		got = pread(source->file, buffer + done, size - done, (off_t) (offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			report_read_error(source);
		if (got == 0)
			break;
		done += got;
	}

	/* Readers look back, at what they have read already, but never leave out anything. */
	if (offset + done > source->summed)
	{
		Size known = source->summed - offset;

		Assert(offset <= source->summed);
		COMP_CRC32C(source->crc, buffer + known, done - known);
		source->summed = offset + done;
	}
	return done;
}

/* Ends a reading; returns a sum of all that was read of a file. */
pg_crc32c
rds_source_close(RdsSource *source)
{
	if (source->file >= 0)
	{
		CloseTransientFile(source->file);
		source->file = -1;
	}
	FIN_CRC32C(source->crc);

	return source->crc;
}

/*
 * rds_source_text
 *		All bytes from an offset on, whatever the source's end is said to be; in the
 *		database's encoding, in the current memory context.
 */
char *
rds_source_text(RdsSource *source, Size from)
{
	RdsSource *whole = rds_source_copy(source);
	char *text;
	Size length;

	whole->end = 0;
	rds_source_open(whole);
	length = whole->length - Min(from, whole->length);
	text = palloc(length + 1);
	/* from where the bytes have been summed up, which they need not be here */
	whole->summed = from;
	length = rds_source_read(whole, from, text, length);
	text[length] = '\0';
	(void) rds_source_close(whole);

	if (source->path != NULL)
		text = pg_any_to_server(text, length, rds_source_encoding(source));
	return text;
}

/*
 * The encoding that a reader has to take the bytes for: text that came through
 * SQL is in the database's, a file is in the client's, as it is for psql.
 */
int
rds_source_encoding(const RdsSource *source)
{
	return source->path == NULL ? GetDatabaseEncoding() : pg_get_client_encoding();
}

/*
 * rds_source_checksum
 *		SHA-256 of the script in UTF-8, without a byte-order mark, its line endings
 *		made LF.
 *
 * That is what sha256sum prints of the file in a checkout, whatever the
 * database's encoding is and however the checkout ends its lines.  A file is
 * taken as it is: in UTF-8, most likely.
 *
 * In *may_include is whether it has a "\i" anywhere.
 */
void
rds_source_checksum(RdsSource *source, RdsChecksum checksum, bool *may_include)
{
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not start a SHA-256 computation");

	if (source->path == NULL)
	{
		char *text = pg_server_to_any(source->bytes, source->length, PG_UTF8);
		Size length = text == source->bytes ? source->length : strlen(text);
		Size mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

		if (hash_piece(hash, text + mark, length - mark, false))
			update_hash(hash, "\r", 1);
		*may_include = has_include(text, length);
		if (text != source->bytes)
			pfree(text);
	}
	else
	{
		char *piece = palloc(CHECKSUM_PIECE);
		bool return_before = false;
		bool backslash_before = false;
		Size offset = 0;
		Size got;

		*may_include = false;
		rds_source_open(source);
		while ((got = rds_source_read(source, offset, piece, CHECKSUM_PIECE)) > 0)
		{
			Size mark = offset == 0 && got >= 3 && memcmp(piece, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

			return_before = hash_piece(hash, piece + mark, got - mark, return_before);
			*may_include = *may_include || has_include(piece, got) || (backslash_before && piece[0] == 'i');
			backslash_before = piece[got - 1] == '\\';
			offset += got;
		}
		if (return_before)
			update_hash(hash, "\r", 1);
		rds_source_close(source);
		pfree(piece);
	}

	if (pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not finish a SHA-256 computation");
	pg_cryptohash_free(hash);

	hex_encode((const char *) digest, sizeof(digest), checksum);
	checksum[2 * sizeof(digest)] = '\0';
}

/*
 * Adds a piece, CRLF made LF.  A carriage return at the piece's end is kept
 * back until it is known what follows it: returns whether there is one, and is
 * told whether there was.
 */
static bool
hash_piece(pg_cryptohash_ctx *hash, const char *piece, Size length, bool return_before)
{
	const char *at = piece;
	const char *end = piece + length;
	const char *return_at;

	if (length == 0)
		return return_before;
	if (return_before && *at != '\n')
		update_hash(hash, "\r", 1);

	while ((return_at = memchr(at, '\r', end - at)) != NULL)
	{
		bool ends_line = return_at + 1 == end || return_at[1] == '\n';

		update_hash(hash, at, return_at - at + (ends_line ? 0 : 1));
		at = return_at + 1;
		if (at == end)
			return true;
	}
	update_hash(hash, at, end - at);
	return false;
}

static bool
has_include(const char *text, Size length)
{
	const char *end = text + length;
	const char *at = text;

	while ((at = memchr(at, '\\', end - at)) != NULL)
	{
		at++;
		if (at < end && *at == 'i')
			return true;
	}
	return false;
}

static void
update_hash(pg_cryptohash_ctx *hash, const char *data, Size length)
{
	if (pg_cryptohash_update(hash, (const uint8 *) data, length) < 0)
		elog(ERROR, "could not compute a SHA-256");
}

static void
report_read_error(const RdsSource *source)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read file \"%s\": %m", source->path)));
}
