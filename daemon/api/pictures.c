/*
 * api/pictures.c - rendered pictures, kept as long as there is room.
 *
 * Threads: any; `lock` guards all of it.
 */
#include "api/pictures.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 512U /* pictures are 3 kB and more: a few a bucket, however many fit */

struct entry {
    struct entry *next_in_bucket;
    struct entry *newer; /* asked for later; NULL: the last */
    struct entry *older;
    struct picture *picture; /* a reference */
    uint64_t hash;
    char name[PICTURE_NAME_BYTES_MAX];
};

struct pictures {
    pthread_mutex_t lock;
    size_t bytes_max;
    size_t bytes; /* lock, as all below */
    struct entry *newest;
    struct entry *oldest;
    struct entry *buckets[BUCKETS];
};

struct picture *picture_new(struct str bytes)
{
    struct picture *picture = malloc(sizeof *picture + bytes.len);

    if (!picture)
        return NULL;
    atomic_init(&picture->refs, 1);
    picture->len = bytes.len;
    memcpy(picture->bytes, bytes.at, bytes.len);
    return picture;
}

struct picture *picture_ref(struct picture *picture)
{
    atomic_fetch_add_explicit(&picture->refs, 1, memory_order_relaxed);
    return picture;
}

void picture_free(struct picture *picture)
{
    if (picture && atomic_fetch_sub_explicit(&picture->refs, 1, memory_order_acq_rel) == 1)
        free(picture);
}

/* FNV-1a. Names are ours, so nobody can choose them to fall into one bucket. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325U;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3U;
    return hash;
}

static size_t bytes_of(const struct entry *entry)
{
    return sizeof *entry + sizeof *entry->picture + entry->picture->len;
}

static struct entry **place_of(struct pictures *pictures, const char *name, uint64_t hash)
{
    struct entry **place = &pictures->buckets[hash % BUCKETS];

    while (*place && ((*place)->hash != hash || strcmp((*place)->name, name) != 0))
        place = &(*place)->next_in_bucket;
    return place;
}

static void unlink_age(struct pictures *pictures, struct entry *entry)
{
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        pictures->newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        pictures->oldest = entry->newer;
}

static void link_newest(struct pictures *pictures, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = pictures->newest;
    if (pictures->newest)
        pictures->newest->newer = entry;
    else
        pictures->oldest = entry;
    pictures->newest = entry;
}

static void drop(struct pictures *pictures, struct entry *entry)
{
    struct entry **place = place_of(pictures, entry->name, entry->hash);

    *place = entry->next_in_bucket;
    unlink_age(pictures, entry);
    pictures->bytes -= bytes_of(entry);
    picture_free(entry->picture);
    free(entry);
}

struct pictures *pictures_new(size_t bytes_max)
{
    struct pictures *pictures = calloc(1, sizeof *pictures);

    if (!pictures)
        return NULL;
    pictures->bytes_max = bytes_max;
    (void)pthread_mutex_init(&pictures->lock, NULL);
    return pictures;
}

void pictures_free(struct pictures *pictures)
{
    if (!pictures)
        return;
    while (pictures->oldest)
        drop(pictures, pictures->oldest);
    (void)pthread_mutex_destroy(&pictures->lock);
    free(pictures);
}

struct picture *pictures_get(struct pictures *pictures, const char *name)
{
    uint64_t hash = hash_of(name);
    struct picture *picture = NULL;
    struct entry *entry;

    (void)pthread_mutex_lock(&pictures->lock);
    entry = *place_of(pictures, name, hash);
    if (entry) {
        unlink_age(pictures, entry);
        link_newest(pictures, entry);
        picture = picture_ref(entry->picture);
    }
    (void)pthread_mutex_unlock(&pictures->lock);
    return picture;
}

static void add(struct pictures *pictures, struct entry *entry)
{
    struct entry **place = place_of(pictures, entry->name, entry->hash);

    if (*place) { /* somebody else was faster */
        picture_free(entry->picture);
        free(entry);
        return;
    }
    *place = entry;
    link_newest(pictures, entry);
    pictures->bytes += bytes_of(entry);
    while (pictures->bytes > pictures->bytes_max && pictures->oldest)
        drop(pictures, pictures->oldest);
}

void pictures_put(struct pictures *pictures, const char *name, struct picture *picture)
{
    size_t len = strlen(name);
    struct entry *entry;

    if (len >= PICTURE_NAME_BYTES_MAX || picture->len > pictures->bytes_max / 4)
        return;
    entry = calloc(1, sizeof *entry);
    if (!entry)
        return;
    memcpy(entry->name, name, len);
    entry->hash = hash_of(name);
    entry->picture = picture_ref(picture);
    (void)pthread_mutex_lock(&pictures->lock);
    add(pictures, entry);
    (void)pthread_mutex_unlock(&pictures->lock);
}
