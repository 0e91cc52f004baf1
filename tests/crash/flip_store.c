/*
 * crash/flip_store.c - a small store with a bit of everything, and what it must show.
 */
#include "crash/flip_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "core/definition.h"
#include "ledger/check.h"
#include "ledger/ledger_fixture.h"
#include "ledger/sqlite.h"

#define POLLS 3
#define VOTERS 4 /* of each poll */

struct image {
    unsigned char *bytes;
    size_t len;
};

static const struct {
    const char *id;
    const char *json;
} polls[POLLS] = {
    { "single", "{\"title\":\"One of two\",\"revote\":true,\"carried\":[7,9],\"options\":"
                "[{\"label\":\"first\"},{\"label\":\"second\"}]}" },
    { "several", "{\"title\":\"Several of three\",\"max_choices\":2,\"options\":"
                 "[{\"label\":\"x\"},{\"label\":\"y\"},{\"label\":\"z\"}],"
                 "\"carried\":[3,0,1],\"carried_voters\":3}" },
    { "stars", "{\"title\":\"How good\",\"kind\":\"rating\",\"per_address\":2}" },
};

struct truth {
    char *definition;
    struct counts counts;
};

struct flip_store {
    struct fixture fixture;
    bool no_sums;
    struct image files[FLIP_FILES]; /* a store that was closed; one's log; keys */
    struct image under_log;         /* the database that the log belongs to */
    struct truth truth[POLLS];
    size_t last_commit;  /* where it begins in the log */
    bool in_last_commit; /* what was changed last */
};

static const char *const names[FLIP_FILES] = { "tally.db", "tally.db-wal", "keys" };

static void path_of(const struct flip_store *is, const char *name, char *ret, size_t room)
{
    (void)snprintf(ret, room, "%s/%s", is->fixture.folder, name);
}

static struct image image_read(const struct flip_store *is, const char *name)
{
    struct image image = { NULL, 0 };
    char path[128];
    FILE *file;
    long len;

    path_of(is, name, path, sizeof path);
    file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) <= 0)
        abort();
    rewind(file);
    image.len = (size_t)len;
    image.bytes = malloc(image.len);
    if (!image.bytes || fread(image.bytes, 1, image.len, file) != image.len)
        abort();
    (void)fclose(file);
    return image;
}

static void image_write(const struct flip_store *is, const char *name, const struct image *image,
                        size_t at, unsigned char mask)
{
    char path[128];
    int fd;

    path_of(is, name, path, sizeof path);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, image->bytes, image->len) != (ssize_t)image->len)
        abort();
    if (mask != 0) {
        unsigned char byte = image->bytes[at] ^ mask;

        if (pwrite(fd, &byte, 1, (off_t)at) != 1)
            abort();
    }
    (void)close(fd);
}

static void voter_name(char *ret, size_t room, size_t i)
{
    (void)snprintf(ret, room, "v%zu", i);
}

static unsigned option_of(size_t i)
{
    return 1 + (unsigned)(i % 2);
}

static void fill(struct flip_store *is)
{
    struct image log;

    for (size_t poll = 0; poll < POLLS; poll++)
        fixture_put(&is->fixture, polls[poll].id, polls[poll].json);
    for (size_t i = 0; i < VOTERS * POLLS; i++) {
        char voter[16];

        voter_name(voter, sizeof voter, i / POLLS);
        if (fixture_vote(&is->fixture, polls[i % POLLS].id, voter, option_of(i / POLLS),
                         i % POLLS == 2 ? 1 + (unsigned)i : 0)
                .result != JOB_COUNTED)
            abort();
    }
    /* changed, and back; and one that went and came */
    (void)fixture_vote(&is->fixture, "single", "v0", 2, 0);
    (void)fixture_vote(&is->fixture, "single", "v0", 1, 0);
    (void)fixture_retract(&is->fixture, "single", "v1");
    log = image_read(is, names[1]);
    is->last_commit = log.len;
    free(log.bytes);
    (void)fixture_vote(&is->fixture, "single", "v1", 2, 0);
}

static char *definition_of(const struct poll *poll)
{
    AUTO_BUF text = { 0 };

    definition_store(poll, &text);
    buf_char(&text, '\0');
    if (!buf_ok(&text))
        abort();
    return strdup(text.bytes);
}

/* A store of before there were sums: its start fills them in, whatever it finds. */
static void take_sums(struct flip_store *is)
{
    if (is->no_sums && sqlite3_exec(sqlite_of(is->fixture.store)->db,
                                    "UPDATE poll SET rows_sum = NULL, sum = NULL;"
                                    "DELETE FROM meta WHERE name = 'live'",
                                    NULL, NULL, NULL) != SQLITE_OK)
        abort();
}

static void kill_store(struct flip_store *is)
{
    struct queue_list answered = { NULL, NULL, 0 };

    store_abandon(is->fixture.store, &answered);
    fixture_close(&is->fixture);
}

struct flip_store *flip_store_new(bool no_sums)
{
    struct flip_store *is = calloc(1, sizeof *is);

    if (!is)
        abort();
    is->no_sums = no_sums;
    fixture_make(&is->fixture);
    if (fixture_open(&is->fixture) != NULL)
        abort();
    fill(is);
    for (size_t i = 0; i < POLLS; i++) {
        struct published *shown = board_get(is->fixture.board, str_of(polls[i].id));

        is->truth[i] = (struct truth){ definition_of(shown->poll), shown->counts };
        published_free(shown);
    }
    take_sums(is);
    kill_store(is);
    is->files[1] = image_read(is, names[1]);
    is->under_log = image_read(is, names[0]);
    if (fixture_open(&is->fixture) != NULL)
        abort();
    take_sums(is);
    fixture_close(&is->fixture);
    is->files[0] = image_read(is, names[0]);
    is->files[2] = image_read(is, names[2]);
    return is;
}

void flip_store_free(struct flip_store *is)
{
    for (size_t i = 0; i < FLIP_FILES; i++)
        free(is->files[i].bytes);
    free(is->under_log.bytes);
    for (size_t i = 0; i < POLLS; i++)
        free(is->truth[i].definition);
    fixture_remove(&is->fixture);
    free(is);
}

const char *flip_store_file(const struct flip_store *is, size_t file)
{
    (void)is;
    return names[file];
}

size_t flip_store_bytes(const struct flip_store *is, size_t file)
{
    return is->files[file].len;
}

bool flip_store_is_last_commit(const struct flip_store *is)
{
    return is->in_last_commit;
}

void flip_store_write(struct flip_store *is, size_t file, size_t at, unsigned char mask)
{
    static const char *const others[] = { "tally.db-wal", "tally.db-journal", "tally.db.new" };
    char path[128];

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        path_of(is, others[i], path, sizeof path);
        (void)unlink(path);
    }
    image_write(is, names[0], file == 1 ? &is->under_log : &is->files[0], at, file == 0 ? mask : 0);
    if (file == 1)
        image_write(is, names[1], &is->files[1], at, mask);
    image_write(is, names[2], &is->files[2], at, file == 2 ? mask : 0);
    is->in_last_commit = file == 1 && at >= is->last_commit;
}

static void note(void *context, const char *line)
{
    (void)context;
    (void)line;
}

static bool check_finds_it(const struct flip_store *is)
{
    struct check check = { .tell = note };
    struct why why;
    AUTO(keys) keys = keys_open(is->fixture.keys_path, false, &why);

    return !keys || !check_store(is->fixture.url + strlen("sqlite:"), keys, &check, &why) ||
           check.mismatches > 0;
}

static void compare_shown(struct fixture *fixture, const struct flip_store *is, size_t poll,
                          struct flip_store_seen *seen)
{
    struct published *shown = board_get(fixture->board, str_of(polls[poll].id));
    char *definition = shown ? definition_of(shown->poll) : NULL;
    const struct counts *counts = &is->truth[poll].counts;

    if (!shown)
        (void)snprintf(seen->wrong, sizeof seen->wrong, "poll %s is away", polls[poll].id);
    else if (strcmp(definition, is->truth[poll].definition) != 0)
        (void)snprintf(seen->wrong, sizeof seen->wrong, "poll %s has another definition",
                       polls[poll].id);
    else if (memcmp(shown->counts.marks, counts->marks, sizeof counts->marks) != 0 ||
             shown->counts.voters != counts->voters || shown->counts.version < counts->version)
        (void)snprintf(seen->wrong, sizeof seen->wrong, "poll %s has other counts", polls[poll].id);
    free(definition);
    published_free(shown);
}

static bool is_refused_as_damaged(const struct answer *answer)
{
    return answer->result == JOB_REFUSED && answer->problem == PROBLEM_STORE_UNAVAILABLE;
}

/* Everybody votes again, and one more. Each may be refused by a store that knows that it is sick.
 */
static void vote_again(struct fixture *fixture, size_t poll, struct flip_store_seen *seen)
{
    struct answer answer = { .store = STORE_DONE };

    for (size_t i = 0; i <= VOTERS && !seen->refused_a_vote && !seen->wrong[0]; i++) {
        enum job_result expected = i == VOTERS ? JOB_COUNTED : JOB_ALREADY;
        char voter[16];

        voter_name(voter, sizeof voter, i);
        answer = fixture_vote(fixture, polls[poll].id, voter,
                              poll == 0 && i == 1 ? 2 : option_of(i), i == VOTERS ? 1000 : 0);
        seen->refused_a_vote = answer.store == STORE_BROKEN || is_refused_as_damaged(&answer);
        if (!seen->refused_a_vote && answer.result != expected)
            (void)snprintf(seen->wrong, sizeof seen->wrong, "poll %s: voter %zu hears %d",
                           polls[poll].id, i, (int)answer.result);
    }
}

const char *flip_store_look(const struct flip_store *is, struct flip_store_seen *ret_seen)
{
    struct fixture fixture = is->fixture;
    bool found;
    const char *why;

    *ret_seen = (struct flip_store_seen){ .refused_a_vote = false };
    found = check_finds_it(is);
    ret_seen->check_finds_it = found;
    why = fixture_open(&fixture);
    if (why)
        return why;
    for (size_t i = 0; i < POLLS && !ret_seen->wrong[0]; i++)
        compare_shown(&fixture, is, i, ret_seen);
    for (size_t i = 0; i < POLLS && !ret_seen->wrong[0] && !ret_seen->refused_a_vote; i++)
        vote_again(&fixture, i, ret_seen);
    return NULL; /* closed by the end of the process */
}
