/*
 * api/form.c - a vote as a browser's form sends it.
 *
 * Threads: any; nothing is shared.
 */
#include "api/form.h"

#include <inttypes.h>
#include <string.h>

#include "core/ballot.h"

/* false: a broken escape, or longer than `room`. */
static bool decode(struct str raw, char *ret_text, size_t room, size_t *ret_len)
{
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.at[i] == '+' ? ' ' : raw.at[i];

        if (c == '%') {
            int high = i + 1 < raw.len ? hex_digit(raw.at[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_digit(raw.at[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (len == room)
            return false;
        ret_text[len++] = c;
    }
    *ret_len = len;
    return true;
}

static bool mark_read(struct str value, const struct poll *poll, uint64_t *marks,
                      struct refusal *reterr)
{
    uint64_t option;

    if (!str_uint64(value, poll->n_options, &option) || option == 0)
        return refuse_member(reterr, "/option", "must be 1 to %zu", poll->n_options);
    if (*marks & ballot_mark((unsigned)option))
        return refuse_member(reterr, "/option", "option %" PRIu64 " stands twice", option);
    *marks |= ballot_mark((unsigned)option);
    return true;
}

static bool pair_read(struct str name, struct str value, const struct poll *poll, struct form *form,
                      struct refusal *reterr)
{
    char text[24];
    size_t len;

    if (str_eq(name, STR("page")))
        return decode(value, form->page, sizeof form->page, &form->page_len) ||
               refuse(reterr, PROBLEM_MALFORMED, "the form's page cannot be read");
    if (!str_eq(name, poll->kind == POLL_RATING ? STR("rating") : STR("option")))
        return true;
    if (!decode(value, text, sizeof text, &len))
        return refuse(reterr, PROBLEM_MALFORMED, "the form's choice cannot be read");
    return mark_read((struct str){ text, len }, poll, &form->marks, reterr);
}

bool form_read(struct str body, const struct poll *poll, struct form *ret_form,
               struct refusal *reterr)
{
    struct str piece;

    ret_form->marks = 0;
    ret_form->page_len = 0;
    while (str_next(&body, '&', &piece)) {
        size_t equals = str_find(piece, '=');
        struct str value = equals < piece.len ? str_from(piece, equals + 1) : STR("");

        if (!pair_read((struct str){ piece.at, equals }, value, poll, ret_form, reterr))
            return false;
    }
    return ballot_marks_ok(poll, ret_form->marks, "/option", reterr);
}
