/*
 * form_fuzz.c - any bytes as the page's form: application/x-www-form-urlencoded.
 *
 * The first byte chooses the poll. A choice that is taken can be cast, and names what stands in the
 * form; names of others change nothing, wherever they stand; and what is percent-encoded says the
 * same as what is not.
 */
#include "api/form.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/ballot.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static struct poll poll_of(uint8_t choice)
{
    struct poll poll = { .kind = choice & 1 ? POLL_RATING : POLL_CHOICE,
                         .n_options = 2 + choice / 2 % 63,
                         .min_choices = 1,
                         .max_choices = 1 };

    if (poll.kind == POLL_CHOICE && choice & 2)
        poll.max_choices = (unsigned)poll.n_options;
    return poll;
}

static bool read(struct str body, const struct poll *poll, struct form *ret_form)
{
    struct refusal refusal;

    return form_read(body, poll, ret_form, &refusal);
}

static void same(const struct form *a, const struct form *b)
{
    expect(a->marks == b->marks && a->page_len == b->page_len);
    expect(memcmp(a->page, b->page, a->page_len) == 0);
}

/* The form behind, and before, a field of somebody else's. */
static void among_others(struct str body, const struct poll *poll, const struct form *form)
{
    static const char other[] = "csrf=%2B";
    struct form again;
    AUTO_BUF before = { 0 };
    AUTO_BUF behind = { 0 };

    buf_text(&before, other);
    buf_char(&before, '&');
    buf_str_add(&before, body);
    buf_str_add(&behind, body);
    buf_char(&behind, '&');
    buf_text(&behind, other);
    expect(read(buf_str(&before), poll, &again));
    same(form, &again);
    expect(read(buf_str(&behind), poll, &again));
    same(form, &again);
}

/* What was understood, written anew with every byte escaped. */
static void escaped(const struct poll *poll, const struct form *form)
{
    struct form again;
    AUTO_BUF body = { 0 };

    for (unsigned option = 1; option <= poll->n_options; option++) {
        if (!(form->marks & ballot_mark(option)))
            continue;
        buf_text(&body, poll->kind == POLL_RATING ? "rating=" : "option=");
        if (option >= 10)
            buf_format(&body, "%%%02x", '0' + option / 10);
        buf_format(&body, "%%%02X&", '0' + option % 10);
    }
    buf_text(&body, "page=");
    for (size_t i = 0; i < form->page_len; i++)
        buf_format(&body, "%%%02x", (unsigned char)form->page[i]);
    expect(buf_ok(&body) && read(buf_str(&body), poll, &again));
    same(form, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct refusal refusal;
    struct form form;
    struct poll poll;
    struct str body;

    if (len == 0)
        return 0;
    poll = poll_of(bytes[0]);
    body = (struct str){ (const char *)bytes + 1, len - 1 };
    if (!read(body, &poll, &form))
        return 0;
    expect(form.page_len <= sizeof form.page);
    expect(ballot_marks_ok(&poll, form.marks, "/option", &refusal));
    among_others(body, &poll, &form);
    escaped(&poll, &form);
    return 0;
}
