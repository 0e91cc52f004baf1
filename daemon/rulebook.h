/*
 * rulebook.h - what the configuration says of callers, proxies and the log, as the rooms take it.
 *
 * Threads: main, at start and at a reload.
 */
#ifndef TALLYD_RULEBOOK_H
#define TALLYD_RULEBOOK_H

#include <stddef.h>
#include <stdint.h>

#include "api/rules.h"
#include "base/auto.h"
#include "base/why.h"
#include "config/config.h"
#include "ledger/token_keys.h"
#include "net/cidr.h"

/* One reference. NULL: *reterr_why; go on with the rules there were. */
MUST_USE struct rules *rulebook_rules(const struct config *config, struct why *reterr_why);

/* Where the token keys lie; the strings are the configuration's. */
struct token_files rulebook_token_files(const struct config *config);

/* trusted_proxies, as net reads them. The caller's to free(); NULL: there are none, or no memory.
 */
struct cidr *rulebook_trusted(const struct config *config, size_t *ret_n);

/* Level and format of the log; then it has what the configuration is warned of. */
void rulebook_log(const struct config *config);

#endif
