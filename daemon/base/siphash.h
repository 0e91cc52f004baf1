/*
 * base/siphash.h - SipHash-2-4: a keyed hash for tables whose keys strangers choose.
 *
 * Who does not know the key cannot make two inputs meet more often than by chance. Not for
 * signatures or voters. Pure; any thread.
 */
#ifndef TALLYD_BASE_SIPHASH_H
#define TALLYD_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_BYTES 16

uint64_t siphash(const unsigned char key[SIPHASH_KEY_BYTES], const void *bytes, size_t len);

#endif
