/*
 * core/definition.h - a poll's definition: from JSON, to JSON, and the edits an admin makes.
 *
 * An edit is read by a loop (its JSON) and applied by the writer to the poll as it is at that
 * moment, so a PATCH never works on an old definition. Pure; any thread.
 */
#ifndef TALLYD_CORE_DEFINITION_H
#define TALLYD_CORE_DEFINITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "core/json.h"
#include "core/poll.h"
#include "core/refusal.h"
#include "core/tally.h"

enum edit_kind {
    EDIT_PUT,    /* create, or replace (members left out take their defaults, but state, carried) */
    EDIT_PATCH,  /* JSON merge patch, RFC 7396, on the definition */
    EDIT_CARRIED /* PUT …/carried: {"votes":[…],"voters":N} or {"count","sum"} */
};

struct edit {
    enum edit_kind kind;
    bool create_only; /* If-None-Match: * */
    char id[POLL_ID_BYTES_MAX + 1];
    struct json *body; /* owned */
};

void edit_free(struct edit *edit);
AUTO_FREE(edit);

enum edit_result {
    EDIT_CREATED,   /* *ret_poll is new; the ledger gives it number, salt and prefixes */
    EDIT_CHANGED,   /* *ret_poll replaces the current one: same number, salt, next revision */
    EDIT_UNCHANGED, /* nothing differs: no version grows */
    EDIT_REFUSED,   /* *reterr says why */
    EDIT_NO_MEMORY
};

/*
 *   current        NULL where there is no such poll
 *   counts         of `current`; NULL with it
 *   ret_poll       CREATED and CHANGED only; one reference, the caller's
 *   ret_seen       CHANGED only: a reader sees a difference in the tally (title, labels, options,
 *                  what percents are of, phase, carried, results), so its version grows
 *   reterr         REFUSED only; may be NULL. Several members may be wrong at once
 *
 * A patch is merged into what GET shows; `carried` and `carried_voters` are not shown there, so a
 * patch gives them as a PUT would. Wrong bodies (422) are told before wrong moments (409).
 */
MUST_USE enum edit_result edit_apply(const struct edit *edit, const struct poll *current,
                                     const struct counts *counts, int64_t now_ms,
                                     struct poll **ret_poll, bool *ret_seen,
                                     struct refusal *reterr);

/* The members of the definition as JSON, as GET shows them up to but without "tally":
 * `{"id":…,…,"about":null,"created_at":…` with no closing brace, so that more can follow.
 *   updated_at_ms  what to show as updated_at                                                 */
void definition_render(const struct poll *poll, int64_t updated_at_ms, struct buf *out);

/*
 * What the ledger keeps of a definition: one JSON object, and back.
 *
 * In it: all that definition_render() shows (times as RFC 3339) but created_at and updated_at;
 * `carried` and `carried_voters`, where there are carried counts; `revision`, `created_at_ms`,
 * `defined_at_ms` and, while state is closed, `closed_at_ms`, as integers.
 * Not in it, so the ledger's own columns: number, salt, forgotten, prefix_v4, prefix_v6, which
 * are 0 in a poll that was loaded until the ledger fills them in.
 *
 * load gives a poll with one reference, or NULL: *reterr_why says what is wrong. Two definitions
 * are the same when and only when their stored bytes are.
 */
void definition_store(const struct poll *poll, struct buf *out);
MUST_USE struct poll *definition_load(struct str stored, struct why *reterr_why);

#endif
