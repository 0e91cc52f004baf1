/*
 * ledger/keys.h - the key of the voter hashes, and what is hashed with it.
 *
 * The key is part of the ledger: made and synced, with its directory, before the first
 * acknowledgement, and it never changes. A new key under an old ledger would let everybody vote
 * twice. File: lines of words, mode 0600; `voters HEX64` is the key of the voter hashes.
 */
#ifndef TALLYD_LEDGER_KEYS_H
#define TALLYD_LEDGER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/why.h"
#include "core/ballot.h"
#include "core/poll.h"

#define KEY_BYTES 32
#define KEY_FINGERPRINT_BYTES 16

struct keys; /* opaque; memory that is wiped when freed */

/*
 * Reads `path`.
 *   may_create  make the file when it is not there (0600, random, fsync of file and directory)
 *   returns     NULL: *reterr_why; a file that others may read, or that is broken, is refused
 */
MUST_USE struct keys *keys_open(const char *path, bool may_create, struct why *reterr_why);
/* Reads a credential of systemd's, which is never made, and whose group bits are the mask of an
 * ACL. NULL: *reterr_why. */
MUST_USE struct keys *keys_open_credential(const char *path, struct why *reterr_why);
void keys_free(struct keys *keys);
AUTO_FREE(keys);

/* Tells keys apart without giving them away: the ledger keeps it. */
void keys_fingerprint(const struct keys *keys, unsigned char ret[KEY_FINGERPRINT_BYTES]);

/* The voter hash: crypto_generichash, 128 bits, keyed, over the poll's salt, the kind of voter and
 * the voter, length-prefixed. Pure; any thread.   voter  1..256 bytes of UTF-8, or an address's
 * group as its 4 or 16 bytes */
void keys_hash_voter(const struct keys *keys, const struct poll *poll, enum voter_kind kind,
                     struct str voter, struct voter_hash *ret_hash);

/* The hash of an address group, 8 bytes, under the same key and the poll's salt. */
uint64_t keys_hash_address(const struct keys *keys, const struct poll *poll, struct str group);

#endif
