/*
 * polls.c - the polls of an older system, with what its tables say was voted.
 *
 * Threads: main.
 */
#include "polls.h"

#include <stdlib.h>
#include <string.h>

#include "index.h"

struct polls {
    struct old_poll **at; /* owned, as they are */
    size_t count;
    size_t room;
    struct index *by_id;
};

struct polls *polls_new(void)
{
    AUTO(polls) polls = calloc(1, sizeof *polls);

    if (!polls)
        return NULL;
    polls->by_id = index_new();
    return polls->by_id ? TAKE(polls) : NULL;
}

static void old_poll_free(struct old_poll *poll)
{
    for (size_t i = 0; i < poll->count; i++)
        free(poll->options[i].label);
    free(poll->options);
    free(poll->title);
    free(poll->id);
    free(poll);
}
AUTO_FREE(old_poll);

void polls_free(struct polls *polls)
{
    if (!polls)
        return;
    for (size_t i = 0; i < polls->count; i++)
        old_poll_free(polls->at[i]);
    free((void *)polls->at);
    index_free(polls->by_id);
    free(polls);
}

size_t polls_count(const struct polls *polls)
{
    return polls->count;
}

struct old_poll *polls_at(const struct polls *polls, size_t i)
{
    return polls->at[i];
}

struct old_poll *polls_find(const struct polls *polls, const char *id)
{
    const size_t *at = index_find(polls->by_id, str_of(id));

    return at ? polls->at[*at] : NULL;
}

struct old_poll *polls_add(struct polls *polls, const char *id)
{
    AUTO(old_poll) poll = calloc(1, sizeof *poll);

    if (!poll)
        return NULL;
    poll->id = strdup(id);
    poll->max_choices = poll->min_choices = 1;
    if (!poll->id)
        return NULL;
    if (polls->count == polls->room) {
        size_t room = polls->room > 0 ? polls->room * 2 : 64;
        struct old_poll **more = reallocarray((void *)polls->at, room, sizeof(struct old_poll *));

        if (!more)
            return NULL;
        polls->at = more;
        polls->room = room;
    }
    if (!index_put(polls->by_id, str_of(id), polls->count))
        return NULL;
    polls->at[polls->count] = poll;
    polls->count++;
    return TAKE(poll);
}

struct old_option *old_option_find(const struct old_poll *poll, uint64_t id)
{
    for (size_t i = 0; i < poll->count; i++) {
        if (poll->options[i].id == id)
            return &poll->options[i];
    }
    return NULL;
}

struct old_option *old_option_add(struct old_poll *poll, uint64_t id, int64_t order, char *label)
{
    AUTO_BYTES char *owned = label;

    if (poll->count == OLD_OPTIONS_MAX)
        return NULL;
    if (poll->count == poll->room) {
        size_t room = poll->room > 0 ? poll->room * 2 : 8;
        struct old_option *more = reallocarray(poll->options, room, sizeof *more);

        if (!more)
            return NULL;
        poll->options = more;
        poll->room = room;
    }
    poll->options[poll->count] = (struct old_option){ .id = id, .order = order };
    poll->options[poll->count].label = TAKE(owned);
    return &poll->options[poll->count++];
}

bool old_poll_stars(struct old_poll *poll, uint64_t scale)
{
    poll->rating = true;
    poll->scale = scale;
    for (uint64_t star = 1; star <= scale; star++) {
        if (!old_option_add(poll, star, 0, NULL))
            return false;
    }
    return true;
}

static int option_order(const void *left, const void *right)
{
    const struct old_option *a = left;
    const struct old_option *b = right;

    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

void old_poll_sort(struct old_poll *poll)
{
    if (poll->count > 1)
        qsort(poll->options, poll->count, sizeof *poll->options, option_order);
}

void old_poll_rate(struct old_poll *poll, int64_t milli_stars)
{
    int64_t star = (milli_stars + 500) / 1000;

    poll->logged++;
    if (milli_stars < 500 || star > (int64_t)poll->scale) {
        poll->strange++;
        return;
    }
    poll->rounded += milli_stars % 1000 != 0;
    poll->options[star - 1].logged++;
}
