/*
 * crash/power_world.c - what is done to the store, and what was told.
 *
 * Threads: one; a backup has one of its own, which the store waits for.
 */
#include "crash/power_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "ledger/sqlite.h"

#define BATCH_MAX 64

struct world *world_new(enum disk_plant plant, bool normal, bool old, struct world_figures *figures)
{
    struct world *world = calloc(1, sizeof *world);

    if (!world)
        abort();
    world->figures = figures;
    world->normal = normal;
    fixture_make(&world->fixture);
    if (old) {
        if (fixture_open(&world->fixture) != NULL)
            abort();
        for (int i = 0; i < 8; i++)
            (void)world_act(world);
        fixture_make_version_1(&world->fixture);
    }
    disk_begin(world->fixture.folder, plant);
    return world;
}

void world_free(struct world *world)
{
    disk_end();
    fixture_remove(&world->fixture);
    free(world);
}

enum start world_start(struct world *world)
{
    const char *why = fixture_open(&world->fixture);

    if (why) {
        if (disk_is_off())
            return START_CUT;
        if (disk_sync_failed())
            return START_SYNC_FAILED;
        (void)snprintf(world->wrong, sizeof world->wrong, "it does not start: %.400s", why);
        return START_WRONG;
    }
    if (world->normal)
        (void)sqlite3_exec(sqlite_of(world->fixture.store)->db, "PRAGMA synchronous = NORMAL", NULL,
                           NULL, NULL);
    return disk_is_off() ? START_CUT : START_UP;
}

void world_kill(struct world *world)
{
    struct queue_list answered = { NULL, NULL, 0 };

    if (world->fixture.store)
        store_abandon(world->fixture.store, &answered);
    fixture_close(&world->fixture);
}

void world_stop(struct world *world)
{
    if (store_finish(world->fixture.store) == STORE_BROKEN)
        world_kill(world);
    else
        fixture_close(&world->fixture);
}

/* Every job has its answer when it returns; whether the store goes on. */
static bool run(struct world *world, struct job **jobs, size_t n)
{
    struct batch batch = { .jobs = jobs, .n = n, .now_ms = world->fixture.wall_ms };
    struct queue_list answered = { NULL, NULL, 0 };
    enum store_result result;
    int64_t next_ms;
    size_t kept;

    result = store_commit(world->fixture.store, &batch, &kept);
    while (result != STORE_BROKEN && answered.n < kept)
        result = store_work(world->fixture.store, true, &answered, &next_ms);
    if (result == STORE_BROKEN)
        store_abandon(world->fixture.store, &answered);
    return result != STORE_BROKEN && !disk_is_off();
}

/* No answer leaves a machine without power. */
static enum told told_of(const struct job *job)
{
    if (disk_is_off() ||
        (job->result == JOB_REFUSED && job->refusal->problem == PROBLEM_OUTCOME_UNKNOWN))
        return TOLD_NOTHING;
    return job->result == JOB_REFUSED ? TOLD_REFUSED : TOLD_COUNTED;
}

static bool is_shown(struct world *world, const char *id)
{
    struct published *published = board_get(world->fixture.board, str_of(id));
    bool shown = published != NULL;

    published_free(published);
    return shown;
}

static bool put(struct world *world, const char *id, enum told *ret_told)
{
    char json[256];
    struct edit *edit = calloc(1, sizeof *edit);
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = JOB_EDIT, .edit = edit, .refusal = &refusal };
    struct job *jobs[] = { &job };
    struct why why;
    bool goes_on;

    (void)snprintf(json, sizeof json,
                   "{\"title\":\"t%u\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]}",
                   (unsigned)disk_random(1000));
    if (!edit || json_parse(str_of(json), &edit->body, &why) != JSON_OK)
        abort();
    (void)snprintf(edit->id, sizeof edit->id, "%s", id);
    goes_on = run(world, jobs, 1);
    *ret_told = told_of(&job);
    published_free(job.published);
    edit_free(edit);
    return goes_on;
}

static const char *poll_of(size_t voter)
{
    return voter % 2 == 0 ? "p0" : "p1";
}

static bool make_polls(struct world *world)
{
    for (size_t i = 0; i < 2; i++) {
        enum told told;
        bool goes_on;

        if (is_shown(world, poll_of(i)))
            continue;
        goes_on = put(world, poll_of(i), &told);
        world->made[i] |= told == TOLD_COUNTED;
        if (!goes_on)
            return false;
    }
    return true;
}

static void vote_of(struct world *world, size_t voter, struct job *job, struct refusal *refusal)
{
    struct published *published = board_get(world->fixture.board, str_of(poll_of(voter)));
    char name[32];

    if (!published)
        abort();
    (void)snprintf(name, sizeof name, "v%zu", voter);
    *job = (struct job){ .kind = JOB_VOTE,
                         .refusal = refusal,
                         .ballot = { .poll = published->poll->number,
                                     .kind = VOTER_NAMED,
                                     .marks = ballot_mark(world->voters[voter].option) } };
    keys_hash_voter(world->fixture.keys, published->poll, VOTER_NAMED, str_of(name),
                    &job->ballot.voter);
    published_free(published);
}

/* What a voter is told, against what that voter was told before. */
static void hear(struct world *world, size_t voter, const struct job *job)
{
    struct world_voter *known = &world->voters[voter];
    enum told told = told_of(job);

    if (told == TOLD_NOTHING || (told == TOLD_REFUSED && known->told == TOLD_COUNTED))
        return; /* a full disk or a broken one may refuse who has voted, too */
    if (known->told == TOLD_COUNTED && (job->result != JOB_ALREADY || job->seq != known->seq))
        world->figures->lost++;
    if (known->told == TOLD_REFUSED && job->result == JOB_ALREADY)
        world->figures->phantom++;
    if (known->told != TOLD_COUNTED && told == TOLD_COUNTED)
        world->figures->acknowledged++;
    known->told = told;
    known->seq = job->seq;
}

static bool send(struct world *world, size_t first, size_t n)
{
    static struct job jobs[BATCH_MAX];
    struct job *all[BATCH_MAX];
    struct refusal refusals[BATCH_MAX];
    bool goes_on;

    for (size_t i = 0; i < n; i++) {
        vote_of(world, first + i, &jobs[i], &refusals[i]);
        all[i] = &jobs[i];
    }
    goes_on = run(world, all, n);
    for (size_t i = 0; i < n; i++) {
        hear(world, first + i, &jobs[i]);
        published_free(jobs[i].published);
    }
    return goes_on;
}

static bool send_new(struct world *world)
{
    size_t n = 1 + (size_t)disk_random(8);
    size_t first = world->n;

    if (!make_polls(world))
        return false;
    if (first + n > WORLD_VOTERS_MAX)
        return true;
    for (size_t i = 0; i < n; i++)
        world->voters[first + i].option = 1 + (unsigned)disk_random(2);
    world->n += n;
    return send(world, first, n);
}

static bool send_again(struct world *world)
{
    size_t first;

    if (world->n < 8 || !make_polls(world))
        return world->n < 8;
    first = (size_t)disk_random(world->n - 7);
    return send(world, first, 8);
}

/* A deletion ends with an emptied log and pages that are written in place. */
static bool make_and_delete(struct world *world)
{
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = JOB_DELETE, .id = "scratch", .refusal = &refusal };
    struct job *jobs[] = { &job };
    enum told told;
    bool goes_on;

    world->scratch_deleted = false;
    if (!put(world, "scratch", &told))
        return false;
    goes_on = run(world, jobs, 1);
    world->scratch_deleted = told_of(&job) == TOLD_COUNTED;
    return goes_on;
}

static uint64_t acknowledged(const struct world *world)
{
    uint64_t n = 0;

    for (size_t i = 0; i < world->n; i++)
        n += world->voters[i].told == TOLD_COUNTED;
    return n;
}

static bool back_up(struct world *world)
{
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = JOB_BACKUP, .refusal = &refusal };
    struct job *jobs[] = { &job };
    size_t at = world->n_backups;
    bool goes_on;

    if (at == WORLD_BACKUPS_MAX)
        return true;
    job.backup = calloc(1, sizeof *job.backup + sizeof world->fixture.folder + 16);
    if (!job.backup)
        abort();
    (void)snprintf(job.backup->path, sizeof world->fixture.folder + 16, "%s/b%zu",
                   world->fixture.folder, at);
    world->backups[at].votes = acknowledged(world);
    world->n_backups++;
    goes_on = run(world, jobs, 1);
    world->backups[at].told = told_of(&job) == TOLD_COUNTED;
    free(job.backup);
    return goes_on;
}

bool world_act(struct world *world)
{
    uint64_t chance = disk_random(100);
    enum told told;

    world->fixture.wall_ms += 1000;
    world->fixture.mono_ms += 1000;
    if (chance < 70)
        return send_new(world);
    if (chance < 80)
        return send_again(world);
    if (chance < 84)
        return make_polls(world) && put(world, poll_of(disk_random(2)), &told);
    if (chance < 92)
        return store_finish(world->fixture.store) != STORE_BROKEN && !disk_is_off();
    return chance < 97 ? make_and_delete(world) : back_up(world);
}

static bool wrong(struct world *world, const char *what, size_t number)
{
    (void)snprintf(world->wrong, sizeof world->wrong, "%s %zu", what, number);
    return false;
}

/* Everybody has voted: the tally is all of them, and nobody else. */
static void compare_tally(struct world *world, size_t poll)
{
    struct published *published = board_get(world->fixture.board, str_of(poll_of(poll)));

    for (unsigned option = 1; option <= 2; option++) {
        uint64_t shown = published->counts.marks[ballot_index(option)];
        uint64_t expected = 0;

        for (size_t i = poll; i < world->n; i += 2)
            expected += world->voters[i].option == option;
        if (shown > expected)
            world->figures->phantom += shown - expected;
        else
            world->figures->lost += expected - shown;
    }
    published_free(published);
}

bool world_check(struct world *world)
{
    for (size_t i = 0; i < 2; i++) {
        if (world->made[i] && !is_shown(world, poll_of(i)))
            world->figures->lost++;
    }
    if (world->scratch_deleted && is_shown(world, "scratch"))
        world->figures->phantom++;
    if (!make_polls(world))
        return wrong(world, "a poll cannot be made", 0);
    for (size_t at = 0; at < world->n; at += BATCH_MAX) {
        size_t n = world->n - at < BATCH_MAX ? world->n - at : BATCH_MAX;

        if (!send(world, at, n))
            return wrong(world, "the store failed at voter", at);
    }
    for (size_t i = 0; i < world->n; i++) {
        if (world->voters[i].told != TOLD_COUNTED)
            return wrong(world, "no answer to voter", i);
    }
    compare_tally(world, 0);
    compare_tally(world, 1);
    return true;
}
