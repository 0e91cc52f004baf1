/*
 * core/json.h - one small strict reader in front of cJSON.
 *
 * What cJSON would let through is refused first: bad UTF-8, lone surrogates, \u0000, depth over
 * JSON_DEPTH_MAX, duplicate keys in one object, trailing bytes (RFC 8259, RFC 7493). Integers are
 * exact: a number's own text decides, so 1.0 and 1e0 are no integers and 2^53 + 1 is itself.
 *
 * Pure; any thread. A tree belongs to whoever parsed it: json_free().
 */
#ifndef TALLYD_CORE_JSON_H
#define TALLYD_CORE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/why.h"

#define JSON_DEPTH_MAX 16

enum json_result {
    JSON_OK,
    JSON_BAD,      /* not JSON, or JSON that a strict reader refuses: 400 malformed */
    JSON_NO_MEMORY /* 503 busy */
};

struct json; /* the tree with what it owns */

/*
 *   bytes     any bytes at all; not kept
 *   ret_json  owned by the caller
 *   returns   JSON_BAD: *reterr_why says what, and at which byte or in which member
 */
MUST_USE enum json_result json_parse(struct str bytes, struct json **ret_json,
                                     struct why *reterr_why);
void json_free(struct json *json);
AUTO_FREE(json);

/* The tree's root, to be walked with cJSON's own accessors; lives as long as `json`. Member order
 * is the text's. */
const cJSON *json_root(const struct json *json);

/* An object's member by its exact name, or NULL. */
const cJSON *json_member(const cJSON *object, const char *name);

/* A number written as an integer (-0 is 0): false for anything else, or beyond int64. */
MUST_USE bool json_int64(const cJSON *item, int64_t *ret_n);

/* A string's bytes (there is no NUL in them), or {NULL, 0} for anything else. */
struct str json_string(const cJSON *item);

/* That of the library below, at run time, as 1.7.15. */
const char *json_cjson_version(void);

#endif
