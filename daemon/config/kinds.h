/*
 * config/kinds.h - what each kind of value is in memory: how it is set, and given back.
 */
#ifndef TALLYD_CONFIG_KINDS_H
#define TALLYD_CONFIG_KINDS_H

#include "config/inside.h"

struct kind {
    size_t bytes; /* of its member in struct config */
    /* Sets a member that is clear. false: *why says what the key takes; the member stays clear, or
     * is half set, to be cleared. */
    bool (*set)(const struct config_key *key, void *member, struct str text, struct why *why);
    void (*clear)(void *member); /* NULL: nothing is owned */
};

extern const struct kind config_kinds[]; /* by enum value_kind */

#endif
