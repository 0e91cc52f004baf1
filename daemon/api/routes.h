/*
 * api/routes.h - the table of all routes: one row, one truth.
 *
 * Documentation and tests loop over it.
 */
#ifndef TALLYD_API_ROUTES_H
#define TALLYD_API_ROUTES_H

#include <stddef.h>

#include "api/call.h"

struct route {
    enum http1_method method; /* HEAD is answered wherever GET is */
    const char *path;         /* segments; {id} takes any one that is not empty */
    enum role least;          /* ROLE_ADMIN, or ROLE_PUBLIC for everybody */
    const char *parameters;   /* names, separated by spaces; NULL: any are ignored */
    void (*answer)(struct call *call);
};

extern const struct route routes[];
extern const size_t routes_count;

/* Finds the route of a request and calls it, or answers why not (403, 404, 405, 401, 422, 501). */
void routes_call(struct call *call);

/* polls.c */
void polls_list(struct call *call);
void poll_get(struct call *call);
/* edits.c */
void poll_put(struct call *call);
void poll_patch(struct call *call);
void poll_delete(struct call *call);
void carried_put(struct call *call);
/* tally.c */
void tally_get(struct call *call);
/* events.c */
void events_get(struct call *call);
/* tallies.c */
void tallies_list(struct call *call);
/* top.c */
void top_get(struct call *call);
/* jsonld.c */
void jsonld_get(struct call *call);
/* oembed.c */
void oembed_get(struct call *call);
/* votes.c */
void vote_post(struct call *call);
void vote_delete(struct call *call);
void vote_mine(struct call *call);
/* bulk.c */
void bulk_post(struct call *call);
/* export.c */
void export_get(struct call *call);
/* history.c */
void history_get(struct call *call);
/* charts.c */
void chart_svg_get(struct call *call);
void chart_png_get(struct call *call);
/* verify.c */
void verify_post(struct call *call);
/* voters.c */
void voters_post(struct call *call);
void keys_rotate(struct call *call);
/* audit.c */
void audit_get(struct call *call);
/* void.c */
void void_post(struct call *call);
/* forget.c */
void forget_post(struct call *call);
/* openapi.c */
void openapi_get(struct call *call);
/* metrics.c */
void metrics_get(struct call *call);
/* status.c */
void status_get(struct call *call);
/* backup.c */
void backup_post(struct call *call);
/* pages.c */
void page_get(struct call *call);
void embed_get(struct call *call);
/* page_list.c */
void page_list(struct call *call);
/* page_best.c: what page_list() answers for ?sort=score */
void page_best(struct call *call);
/* page_votes.c */
void page_post(struct call *call);
/* assets.c */
void asset_get(struct call *call);
void widget_get(struct call *call);
/* health.c */
void livez(struct call *call);
void readyz(struct call *call);

#endif
