/*
 * ledger/postgres/libpq.c - libpq, loaded when a store needs it.
 *
 * Threads: main loads; whoever has a connection calls.
 */
#include "ledger/postgres/libpq.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libpq.so.5" /* its ABI; the loader looks where it looks for every library */

struct libpq_calls pq;

/* POSIX lets a pointer to data hold one to a function; ISO C needs the detour. */
static bool find(void *library, const char *name, void *ret_call)
{
    void *call = dlsym(library, name);

    memcpy(ret_call, &call, sizeof call);
    return call != NULL;
}

bool libpq_load(struct why *reterr_why)
{
    const char *missing = NULL;
    void *library;

    if (pq.PQstatus)
        return true;
    library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return why_set(reterr_why, "a PostgreSQL store needs " LIBRARY ", which cannot be loaded; "
                                   "install the package libpq5") != NULL;
#define LIBPQ_FIND(name)                                                                           \
    if (!find(library, #name, &pq.name))                                                           \
        missing = #name;
    LIBPQ_CALLS(LIBPQ_FIND)
#undef LIBPQ_FIND
    if (!missing)
        return true;
    memset(&pq, 0, sizeof pq);
    return why_set(reterr_why, LIBRARY " is too old: it has no %s", missing) != NULL;
}
