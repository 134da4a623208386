/*-------------------------------------------------------------------------
 *
 * tls_errors.c
 *	  OpenSSL's texts of errors, loaded when an error is described.
 *
 * OpenSSL loads all of them, which are some thousands, when it begins to be used:
 * a quarter of what the program takes until it asks for its first invocation.
 * Nearly always none is read.
 *
 * So the linker (--wrap) leads those here who ask for them to be loaded, who are
 * within OpenSSL itself, and libcurl and libpq, who ask for a text.  That can be
 * done with a static OpenSSL only, which is why this is in the package alone.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>

extern __typeof__(OPENSSL_init_crypto) __real_OPENSSL_init_crypto, __wrap_OPENSSL_init_crypto;
extern __typeof__(OPENSSL_init_ssl) __real_OPENSSL_init_ssl, __wrap_OPENSSL_init_ssl;
extern __typeof__(ERR_error_string_n) __real_ERR_error_string_n, __wrap_ERR_error_string_n;
extern __typeof__(ERR_reason_error_string) __real_ERR_reason_error_string, __wrap_ERR_reason_error_string;

static void load_texts(void);

int
__wrap_OPENSSL_init_crypto(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
	return __real_OPENSSL_init_crypto(options & ~(uint64_t) OPENSSL_INIT_LOAD_CRYPTO_STRINGS, settings);
}

int
__wrap_OPENSSL_init_ssl(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
	return __real_OPENSSL_init_ssl(options & ~(uint64_t) OPENSSL_INIT_LOAD_SSL_STRINGS, settings);
}

void
__wrap_ERR_error_string_n(unsigned long error, char *text, size_t size)
{
	load_texts();
	__real_ERR_error_string_n(error, text, size);
}

const char *
__wrap_ERR_reason_error_string(unsigned long error)
{
	load_texts();
	return __real_ERR_reason_error_string(error);
}

/*
 * OpenSSL does each once, whatever the thread, and asks for texts meanwhile, to see
 * which are there.  Where it fails, an error has its number for a text.
 */
static void
load_texts(void)
{
	static __thread bool is_loading = false;

	if (is_loading)
		return;
	is_loading = true;
	(void) __real_OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	(void) __real_OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL);
	is_loading = false;
}
