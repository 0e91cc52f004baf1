/*
 * origins.c - the systems that polls are taken over from.
 *
 * Threads: any; nothing is shared.
 */
#include "origins.h"

#include <string.h>

const struct origin *const origins[] = {
    &origin_wp_polls,     &origin_wp_postratings, &origin_bitrix_vote, &origin_bitrix_rating,
    &origin_drupal_votes, &origin_drupal_poll,    &origin_discourse,
};
const size_t origins_count = sizeof origins / sizeof origins[0];

const struct origin *origin_find(const char *name)
{
    for (size_t i = 0; i < origins_count; i++) {
        if (strcmp(origins[i]->name, name) == 0)
            return origins[i];
    }
    return NULL;
}
