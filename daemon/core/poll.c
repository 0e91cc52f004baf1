/*
 * core/poll.c - a poll: what is asked, and by which rules.
 *
 * Threads: a poll that is published is only read, by any; the count of references is atomic.
 */
#include "core/poll.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct poll *poll_new(void)
{
    struct poll *poll = calloc(1, sizeof *poll);

    if (!poll)
        return NULL;
    atomic_init(&poll->refs, 1);
    poll->min_choices = 1;
    poll->max_choices = 1;
    poll->voters = VOTERS_TOKEN;
    poll->opens_at_ms = WHEN_NEVER;
    poll->closes_at_ms = WHEN_NEVER;
    poll->closed_at_ms = WHEN_NEVER;
    return poll;
}

static bool copy_into(char **ret_copy, const char *text)
{
    if (!text)
        return true;
    *ret_copy = str_copy(str_of(text));
    return *ret_copy != NULL;
}

/* false: no memory; what is there already is in *ret_copy, to be cleared. */
static bool text_copy(struct text *ret_copy, const struct text *text)
{
    if (text->n == 0)
        return true;
    ret_copy->in = calloc(text->n, sizeof *ret_copy->in);
    if (!ret_copy->in)
        return false;
    ret_copy->n = text->n;
    for (size_t i = 0; i < text->n; i++) {
        if (!copy_into(&ret_copy->in[i].language, text->in[i].language) ||
            !copy_into(&ret_copy->in[i].value, text->in[i].value))
            return false;
    }
    return true;
}

static bool texts_copy(struct poll *copy, const struct poll *poll)
{
    if (!text_copy(&copy->title, &poll->title))
        return false;
    for (size_t i = 0; i < poll->n_options; i++) {
        if (!text_copy(&copy->labels[i], &poll->labels[i]))
            return false;
    }
    return copy_into(&copy->about.type, poll->about.type) &&
           copy_into(&copy->about.name, poll->about.name) &&
           copy_into(&copy->about.url, poll->about.url);
}

struct poll *poll_copy(const struct poll *poll)
{
    AUTO(poll) copy = calloc(1, sizeof *copy);

    if (!copy)
        return NULL;
    /* All behind the count of references, which others may be changing; then what it owns, piece
     * by piece. */
    memcpy((char *)copy + offsetof(struct poll, number),
           (const char *)poll + offsetof(struct poll, number),
           sizeof *copy - offsetof(struct poll, number));
    atomic_init(&copy->refs, 1);
    copy->title = (struct text){ 0 };
    memset(copy->labels, 0, sizeof copy->labels);
    copy->about = (struct about){ 0 };
    if (!texts_copy(copy, poll))
        return NULL;
    return TAKE(copy);
}

struct poll *poll_ref(struct poll *poll)
{
    unsigned before = atomic_fetch_add_explicit(&poll->refs, 1, memory_order_relaxed);

    assert(before > 0);
    return poll;
}

void poll_free(struct poll *poll)
{
    unsigned before;

    if (!poll)
        return;
    before = atomic_fetch_sub_explicit(&poll->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    text_clear(&poll->title);
    for (size_t i = 0; i < OPTIONS_MAX; i++)
        text_clear(&poll->labels[i]);
    free(poll->about.type);
    free(poll->about.name);
    free(poll->about.url);
    free(poll);
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool poll_id_ok(struct str id)
{
    if (id.len == 0 || id.len > POLL_ID_BYTES_MAX || !is_alphanumeric(id.at[0]))
        return false;
    for (size_t i = 1; i < id.len; i++) {
        char c = id.at[i];

        if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '~' && c != '-')
            return false;
    }
    return true;
}

enum poll_phase poll_phase(const struct poll *poll, int64_t now_ms)
{
    if (poll->state == STATE_CLOSED)
        return PHASE_CLOSED;
    if (poll->closes_at_ms != WHEN_NEVER && now_ms >= poll->closes_at_ms)
        return PHASE_CLOSED;
    if (poll->opens_at_ms != WHEN_NEVER && now_ms < poll->opens_at_ms)
        return PHASE_SCHEDULED;
    return PHASE_OPEN;
}

int64_t poll_next_phase_ms(const struct poll *poll, int64_t now_ms)
{
    switch (poll_phase(poll, now_ms)) {
    case PHASE_SCHEDULED:
        return poll->opens_at_ms;
    case PHASE_OPEN:
        return poll->closes_at_ms;
    case PHASE_CLOSED:
        return WHEN_NEVER;
    }
    return WHEN_NEVER;
}

int64_t poll_closed_since_ms(const struct poll *poll, int64_t now_ms)
{
    int64_t by_hand = poll->state == STATE_CLOSED ? poll->closed_at_ms : WHEN_NEVER;
    int64_t by_time = now_ms >= poll->closes_at_ms ? poll->closes_at_ms : WHEN_NEVER;

    return by_hand < by_time ? by_hand : by_time;
}

static size_t add_languages(const struct text *text, const char **tags, size_t n)
{
    for (size_t i = 0; i < text->n && n < TEXT_LANGUAGES_MAX; i++) {
        const char *tag = text->in[i].language;
        bool known = !tag;

        for (size_t k = 0; k < n && !known; k++)
            known = tags[k] && str_eq_nocase(str_of(tags[k]), str_of(tag));
        if (!known)
            tags[n++] = tag;
    }
    return n;
}

size_t poll_languages(const struct poll *poll, const char **ret_tags)
{
    size_t n = add_languages(&poll->title, ret_tags, 0);

    /* A title of one string is the default; a label of one string is no language more. */
    if (n == 0)
        ret_tags[n++] = NULL;
    for (size_t i = 0; i < poll->n_options; i++)
        n = add_languages(&poll->labels[i], ret_tags, n);
    return n;
}

bool poll_hides_results(const struct poll *poll, enum poll_phase phase, enum viewer viewer)
{
    if (viewer == VIEWER_TRUSTED || phase == PHASE_CLOSED)
        return false;
    switch (poll->results) {
    case RESULTS_ALWAYS:
        return false;
    case RESULTS_AFTER_VOTE:
        return viewer != VIEWER_VOTED;
    case RESULTS_AFTER_CLOSE:
        return true;
    }
    return true;
}

const char *poll_kind_word(enum poll_kind kind)
{
    static const char *const words[] = { [POLL_CHOICE] = "choice", [POLL_RATING] = "rating" };

    return words[kind];
}

const char *poll_results_word(enum poll_results results)
{
    static const char *const words[] = { [RESULTS_ALWAYS] = "always",
                                         [RESULTS_AFTER_VOTE] = "after_vote",
                                         [RESULTS_AFTER_CLOSE] = "after_close" };

    return words[results];
}

const char *poll_voters_word(enum poll_voters voters)
{
    static const char *const words[] = {
        [VOTERS_ADDRESS] = "address", [VOTERS_TOKEN] = "token", [VOTERS_ACCOUNT] = "account"
    };

    return words[voters];
}

const char *poll_state_word(enum poll_state state)
{
    static const char *const words[] = { [STATE_OPEN] = "open", [STATE_CLOSED] = "closed" };

    return words[state];
}

const char *poll_phase_word(enum poll_phase phase)
{
    static const char *const words[] = {
        [PHASE_SCHEDULED] = "scheduled", [PHASE_OPEN] = "open", [PHASE_CLOSED] = "closed"
    };

    return words[phase];
}
