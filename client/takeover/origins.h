/*
 * origins.h - the systems that polls are taken over from.
 */
#ifndef TALLY_TAKEOVER_ORIGINS_H
#define TALLY_TAKEOVER_ORIGINS_H

#include "takeover.h"

extern const struct origin origin_wp_polls;
extern const struct origin origin_wp_postratings;
extern const struct origin origin_bitrix_vote;
extern const struct origin origin_bitrix_rating;
extern const struct origin origin_drupal_votes;
extern const struct origin origin_drupal_poll;
extern const struct origin origin_discourse;

extern const struct origin *const origins[];
extern const size_t origins_count;

const struct origin *origin_find(const char *name); /* NULL: there is none */

/* wp_site.c: what an option of WordPress says of the site: its zone. */
bool wp_option_take(struct takeover *takeover, const struct row *row, size_t name, size_t value);

#endif
