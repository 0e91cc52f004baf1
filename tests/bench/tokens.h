/*
 * bench/tokens.h - voter tokens as a site signs them, all before a run begins.
 *
 * They are as long as each other, so that a request stays a template with holes.
 */
#ifndef TALLYD_BENCH_TOKENS_H
#define TALLYD_BENCH_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/why.h"

#define TOKENS_MAX (UINT64_C(1) << 24)

struct tokens;

/*
 * Signs tokens (docs/tokens.md) that run out in 2100.
 *
 *   key_file  holds one line `KID SECRET`, as site_key_file does
 *   voters    what every voter's name begins with; a number follows
 *   count     1..TOKENS_MAX
 *   returns   NULL: *reterr_why
 */
MUST_USE struct tokens *tokens_sign(const char *key_file, const char *voters, uint64_t count,
                                    struct why *reterr_why);
void tokens_free(struct tokens *tokens);
AUTO_FREE(tokens);

/* The length of each. */
size_t tokens_each(const struct tokens *tokens);
/* Token `n`, tokens_each() bytes without a NUL behind them; n < count. */
const char *tokens_at(const struct tokens *tokens, uint64_t n);

#endif
