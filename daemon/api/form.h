/*
 * api/form.h - a vote as a browser's form sends it: option=1&option=3, or rating=5.
 */
#ifndef TALLYD_API_FORM_H
#define TALLYD_API_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "core/poll.h"
#include "core/refusal.h"

#define FORM_PAGE_BYTES_MAX 2600 /* 20 ids with commas */

struct form {
    uint64_t marks;
    size_t page_len;                /* 0: the page of the poll alone */
    char page[FORM_PAGE_BYTES_MAX]; /* the ids of the page that the form stands in */
};

/*
 * Reads a body of application/x-www-form-urlencoded (URL standard, §5.1) and checks the choice
 * against the poll. Names that are not the form's own are passed over, as browsers may add some.
 *
 *   returns  false: 400 for a broken escape, 422 for the choice, in *reterr
 */
MUST_USE bool form_read(struct str body, const struct poll *poll, struct form *ret_form,
                        struct refusal *reterr);

#endif
