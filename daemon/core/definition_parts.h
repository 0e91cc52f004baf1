/*
 * core/definition_parts.h - what the definition_*.c files share; nobody else includes it.
 *
 * Readers return false when something was refused (it is in `refusal` then, and reading may go on
 * to collect more) or when there was no memory (`no_memory` is set). Pure; any thread.
 */
#ifndef TALLYD_CORE_DEFINITION_PARTS_H
#define TALLYD_CORE_DEFINITION_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/auto.h"
#include "base/buf.h"
#include "core/language.h"
#include "core/poll.h"
#include "core/refusal.h"

/* "/options/63/label/" and a tag of 35 bytes, with room to spare. */
#define POINTER_BYTES_MAX 96

struct reading {
    const cJSON *root;       /* the body */
    const char *id;          /* the path's; NULL: the body names it (load) */
    bool stored;             /* from the ledger: its own members are known too */
    struct poll *poll;       /* being filled */
    int64_t now_ms;          /* when a poll that is closed now was closed */
    struct refusal *refusal; /* may be NULL */
    bool no_memory;
};

/* A whole definition into `poll`, which holds the defaults, and state and carried as they were. */
MUST_USE bool definition_read(struct reading *reading);

/* Refuses members of the body that no definition has. */
MUST_USE bool definition_members_known(struct reading *reading);

/* `carried` and `carried_voters` of a definition; and PUT …/carried, which has no other members.
 * kind, n_options and max_choices of `poll` are there already. */
MUST_USE bool carried_read(struct reading *reading);
MUST_USE bool carried_body_read(struct reading *reading);
bool carried_any(const struct carried *carried);
bool carried_eq(const struct carried *a, const struct carried *b);

/* A title or label: one string or a map of languages.   ret_text  absent before; the poll's */
MUST_USE bool text_read(struct reading *reading, const cJSON *item, const char *pointer,
                        size_t bytes_max, struct text *ret_text);
/* A string of 1..bytes_max bytes without control characters. */
MUST_USE bool plain_read(struct reading *reading, const cJSON *item, const char *pointer,
                         size_t bytes_max, char **ret_text);
/* An integer from least to most; an item that is not there leaves *ret_n as it is. */
MUST_USE bool integer_read(struct reading *reading, const cJSON *item, const char *pointer,
                           int64_t least, int64_t most, int64_t *ret_n);
/* Refuses the members of `object` that are not among `names` (NULL at the end), with pointers that
 * start with `pointer`. */
MUST_USE bool members_known(struct reading *reading, const cJSON *object, const char *pointer,
                            const char *const *names);

/* `{"id":…` to `"about":…` without a closing brace. */
void definition_members_render(const struct poll *poll, struct buf *out);

static inline void tree_autofree(cJSON **tree)
{
    cJSON_Delete(*tree);
}

/* A tree that is nobody's part: `AUTO_TREE *tree = …;` */
#define AUTO_TREE __attribute__((cleanup(tree_autofree))) cJSON

/* JSON merge patch (RFC 7396): `target` with `patch` applied, a new tree that has no part in
 * either, for cJSON_Delete(). Members keep their places, new ones come last.
 *   target   NULL: nothing there;   returns  NULL: no memory */
MUST_USE cJSON *merge_patch(const cJSON *target, const cJSON *patch);

#endif
