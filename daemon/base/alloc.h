/*
 * base/alloc.h - memory for small fixed things that must be there.
 */
#ifndef TALLYD_BASE_ALLOC_H
#define TALLYD_BASE_ALLOC_H

#include <stddef.h>

#include "base/auto.h"

/*
 * Zeroed memory; logs and aborts when there is none.
 *
 * Only at start, on timers, reload and admin work, for a small fixed size: what was acknowledged
 * is on disk. Never on the way of a request. Any thread; free() it.
 */
MUST_USE void *must_alloc(size_t len) __attribute__((malloc, returns_nonnull));

#endif
