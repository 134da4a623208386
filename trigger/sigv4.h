/*-------------------------------------------------------------------------
 *
 * sigv4.h
 *	  AWS Signature Version 4.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGV4_H
#define SIGV4_H

#include <stdbool.h>
#include <time.h>

#include "error.h"

#define SIGV4_LENGTH 64 /* of a signature, in hexadecimal */
#define SIGV4_DATE_LENGTH 8
#define SIGV4_TIME_LENGTH 16

/* Who signs, and for what. */
typedef struct Signer
{
	const char *region;
	const char *service;
	const char *access_key_id;
	const char *secret_access_key;
} Signer;

/* A moment as AWS writes it, 20260101T000000Z; its first eight digits are the date. */
extern bool sigv4_time(time_t now, char *when);

/* The signature of a canonical request, with an end; the scope is to be freed. */
extern char *sigv4_scope(const Signer *signer, const char *when);
extern bool sigv4_sign(const Signer *signer, const char *when, const char *request, char *signature, Error *error);

/*
 * The header "Authorization: …" of a POST to a path, which covers each of the
 * headers ("Name: value", NULL at the end), and the body; to be freed.
 */
extern char *sigv4_authorization(const Signer *signer, const char *when, const char *path, const char *const *headers,
								 const char *body, Error *error);

#endif /* SIGV4_H */
