/*
 * api/painter.c - a thread of its own for pictures that take longer than a loop may.
 *
 * Measured on one core: a PNG of 1,200 × 630 takes 20 to 40 ms, one of 2,000 pixels with 64 long
 * labels up to 660.
 *
 * Threads: run() is the painter's own; the rest see painter.h.
 */
#include "api/painter.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/queue.h"

#define WAITING_MAX 64

struct painter {
    struct pictures *pictures;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool started;           /* lock, as all below */
    bool ending;            /* nothing begins any more */
    bool stopping;          /* the thread is to end */
    struct painting *first; /* of different names, in order; the first may be on the easel */
    struct painting *last;
    size_t n;
};

/* All who waited for one picture, each in its home. */
static void give_back(struct painting *paintings, struct picture *picture, const struct why *why)
{
    while (paintings) {
        struct painting *painting = paintings;
        struct job *job = painting->job;
        struct queue_list list = { NULL, NULL, 0 };

        paintings = painting->same;
        painting->picture = picture ? picture_ref(picture) : NULL;
        painting->why = *why;
        queue_list_add(&list, &job->node);
        queue_put(job->home, &list); /* the painting is its owner's now */
    }
}

static struct painting *wait_for_work(struct painter *painter, bool *ret_paint)
{
    struct painting *painting;

    (void)pthread_mutex_lock(&painter->lock);
    while (!painter->first && !painter->stopping)
        (void)pthread_cond_wait(&painter->wake, &painter->lock);
    painting = painter->first;
    *ret_paint = !painter->ending;
    (void)pthread_mutex_unlock(&painter->lock);
    return painting;
}

/* Off the easel: who asks from now on finds it among the pictures. */
static void take_down(struct painter *painter, struct painting *painting)
{
    (void)pthread_mutex_lock(&painter->lock);
    assert(painter->first == painting);
    painter->first = painting->next;
    if (!painter->first)
        painter->last = NULL;
    painter->n--;
    (void)pthread_mutex_unlock(&painter->lock);
}

static struct picture *paint(struct painter *painter, const struct painting *painting,
                             struct why *reterr_why)
{
    struct picture *picture = pictures_get(painter->pictures, painting->name);

    if (picture)
        return picture; /* it was finished between a caller's look and its order */
    picture = painting->render(painting->context, reterr_why);
    if (picture)
        pictures_put(painter->pictures, painting->name, picture);
    return picture;
}

static void *run(void *context)
{
    struct painter *painter = context;
    struct painting *painting;
    bool may_paint;

    while ((painting = wait_for_work(painter, &may_paint)) != NULL) {
        struct why why = { "" };
        AUTO(picture) picture = may_paint ? paint(painter, painting, &why) : NULL;

        take_down(painter, painting);
        give_back(painting, picture, &why);
    }
    return NULL;
}

struct painter *painter_new(struct pictures *pictures)
{
    struct painter *painter = calloc(1, sizeof *painter);

    if (!painter)
        return NULL;
    painter->pictures = pictures;
    (void)pthread_mutex_init(&painter->lock, NULL);
    (void)pthread_cond_init(&painter->wake, NULL);
    return painter;
}

void painter_free(struct painter *painter)
{
    bool started;

    if (!painter)
        return;
    (void)pthread_mutex_lock(&painter->lock);
    assert(!painter->first);
    started = painter->started;
    painter->stopping = true;
    (void)pthread_cond_signal(&painter->wake);
    (void)pthread_mutex_unlock(&painter->lock);
    if (started)
        (void)pthread_join(painter->thread, NULL);
    (void)pthread_cond_destroy(&painter->wake);
    (void)pthread_mutex_destroy(&painter->lock);
    free(painter);
}

/* Once, by whoever comes first. */
static bool start(struct painter *painter)
{
    if (painter->started)
        return true;
    if (pthread_create(&painter->thread, NULL, run, painter) != 0)
        return false;
    (void)pthread_setname_np(painter->thread, "painter"); /* as top -H shows it */
    painter->started = true;
    return true;
}

static struct painting *find(const struct painter *painter, const char *name)
{
    for (struct painting *painting = painter->first; painting; painting = painting->next) {
        if (strcmp(painting->name, name) == 0)
            return painting;
    }
    return NULL;
}

static bool add(struct painter *painter, struct painting *painting)
{
    struct painting *other = find(painter, painting->name);

    if (other) {
        painting->same = other->same;
        other->same = painting;
        return true;
    }
    if (painter->n == WAITING_MAX || !start(painter))
        return false;
    if (painter->last)
        painter->last->next = painting;
    else
        painter->first = painting;
    painter->last = painting;
    painter->n++;
    return true;
}

bool painter_submit(struct painter *painter, struct painting *painting)
{
    bool added;

    painting->next = NULL;
    painting->same = NULL;
    painting->picture = NULL;
    (void)pthread_mutex_lock(&painter->lock);
    added = !painter->ending && add(painter, painting);
    if (added)
        (void)pthread_cond_signal(&painter->wake);
    (void)pthread_mutex_unlock(&painter->lock);
    return added;
}

void painter_end_soon(struct painter *painter)
{
    (void)pthread_mutex_lock(&painter->lock);
    painter->ending = true;
    (void)pthread_mutex_unlock(&painter->lock);
}
