/*-------------------------------------------------------------------------
 *
 * scram.c
 *	  The slow step of a login by SCRAM, in one call of OpenSSL's.
 *
 * The salted password is what a login takes most of the client's time for, and on
 * purpose: 4096 times HMAC by default.  libpq sets OpenSSL up anew for each, which
 * takes longer than the hashing.  Lambda's smallest function has a fourteenth of a
 * processor: there a login takes some 40 ms less by this.  It is PBKDF2 (in RFC 5802
 * "Hi"), which OpenSSL computes as a whole.
 *
 * The linker (--wrap) leads libpq here, which it can do with a static libpq only:
 * this is in the package alone.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the next one needs it */

#include <common/scram-common.h>
#include <openssl/evp.h>

/* Where libpq's own has another signature, what is below does not compile. */
extern __typeof__(scram_SaltedPassword) __wrap_scram_SaltedPassword;

#if PG_VERSION_NUM >= 160000
#define HASH pg_cryptohash_type hash, int length,
#define IS_SHA256 (hash == PG_SHA256 && length == SCRAM_SHA_256_KEY_LEN)
#define KEY_LENGTH SCRAM_SHA_256_KEY_LEN
#else
#define HASH
#define IS_SHA256 true
#define KEY_LENGTH SCRAM_KEY_LEN
#endif

#if PG_VERSION_NUM >= 180000
typedef uint8 SaltByte;
#else
typedef char SaltByte;
#endif

/* libpq has prepared the password by SASLprep. */
int
__wrap_scram_SaltedPassword(const char *password, HASH const SaltByte *salt, int salt_length, int iterations,
							uint8 *result, const char **error)
{
	if (IS_SHA256 &&
		PKCS5_PBKDF2_HMAC(password, (int) strlen(password), (const unsigned char *) salt, salt_length, iterations,
						  EVP_sha256(), KEY_LENGTH, result) == 1)
		return 0;
	*error = "could not compute the salted password";
	return -1;
}
