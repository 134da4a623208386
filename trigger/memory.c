/*-------------------------------------------------------------------------
 *
 * memory.c
 *	  Memory is cleared when it is given back.
 *
 * Passwords and tokens go through libpq, libcurl, OpenSSL and jansson, each of
 * which keeps copies and gives some of them back as they are.  So what all of
 * them call is replaced: free(), and realloc(), which frees as well.  It is the
 * only thing that clears memory of the heap here.
 *
 * Where the program is linked with shared libraries, these call the functions
 * that the program itself has by the name.  In a static program libc has them
 * by that name already, and the linker is told to take the __wrap_ ones instead
 * (--wrap); ours of the plain name are weak, and give way.
 *
 *-------------------------------------------------------------------------
 */
#include <malloc.h>
#include <stddef.h>
#include <string.h>

extern void __wrap_free(void *memory);
extern void *__wrap_realloc(void *memory, size_t size);

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ /* which clang does not say so */
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

/* The sanitizers bring an allocator of their own. */
extern void __real_free(void *memory);
extern void *__real_realloc(void *memory, size_t size);

void
__wrap_free(void *memory)
{
	__real_free(memory);
}

void *
__wrap_realloc(void *memory, size_t size)
{
	return __real_realloc(memory, size);
}

#else

/* glibc's own, by names that it keeps for those who replace the others. */
extern void *__libc_malloc(size_t size);
extern void __libc_free(void *memory);

extern void free(void *memory) __attribute__((weak));
extern void *realloc(void *memory, size_t size) __attribute__((weak));

void
__wrap_free(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	__libc_free(memory);
}

/* Never in place: what is moved away from must be cleared, and libc would not. */
void *
__wrap_realloc(void *memory, size_t size)
{
	size_t old_size = memory != NULL ? malloc_usable_size(memory) : 0;
	void *moved;

	if (memory != NULL && size == 0)
	{
		__wrap_free(memory);
		return NULL;
	}
	if (memory != NULL && size <= old_size && size > old_size / 2)
		return memory;
	moved = __libc_malloc(size);
	if (moved == NULL)
		return NULL;
	if (memory != NULL)
		memcpy(moved, memory, old_size < size ? old_size : size);
	__wrap_free(memory);
	return moved;
}

void
free(void *memory)
{
	__wrap_free(memory);
}

void *
realloc(void *memory, size_t size)
{
	return __wrap_realloc(memory, size);
}

#endif
