/*
 * ledger_fixture.c - a store in a folder of its own.
 */
#include "ledger/ledger_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>
#include <sqlite3.h>
#ifdef FIXTURE_HAS_ENGINE
#include <libpq-fe.h>
#endif

static int64_t wall(void *context)
{
    return ((struct fixture *)context)->wall_ms;
}

static int64_t mono(void *context)
{
    return ((struct fixture *)context)->mono_ms;
}

bool fixture_is_shared(void)
{
    return getenv("TALLYD_TEST_POSTGRES") != NULL;
}

#ifdef FIXTURE_HAS_ENGINE
/* The URL of a database of that engine. */
static void engine_url(const char *database, char *ret_url, size_t room)
{
    const char *url = getenv("TALLYD_TEST_POSTGRES");
    const char *at = strstr(url, "DATABASE");

    assert_non_null(at);
    (void)snprintf(ret_url, room, "%.*s%s%s", (int)(at - url), url, database,
                   at + strlen("DATABASE"));
}

static void ask_engine(const char *before, const char *database, const char *behind)
{
    char url[512];
    char sql[128];
    PGconn *engine;
    PGresult *result;

    engine_url("postgres", url, sizeof url);
    engine = PQconnectdb(url);
    (void)snprintf(sql, sizeof sql, "%s \"%s\"%s", before, database, behind);
    result = PQexec(engine, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(engine));
    PQclear(result);
    PQfinish(engine);
}

/* Named like the fixture's folder, which is no other's. */
static const char *database_of(const struct fixture *fixture)
{
    return strrchr(fixture->folder, '/') + 1;
}

static void make_database(struct fixture *fixture)
{
    if (!fixture_is_shared())
        return;
    ask_engine("CREATE DATABASE", database_of(fixture), "");
    engine_url(database_of(fixture), fixture->url, sizeof fixture->url);
}

static void remove_database(struct fixture *fixture)
{
    if (fixture_is_shared())
        ask_engine("DROP DATABASE", database_of(fixture), " WITH (FORCE)");
}
#else
static void make_database(struct fixture *fixture)
{
    (void)fixture;
}

static void remove_database(struct fixture *fixture)
{
    (void)fixture;
}
#endif

void fixture_make(struct fixture *fixture)
{
    *fixture = (struct fixture){ .wall_ms = 1780000000000, .mono_ms = 1000 };
    assert_true(sodium_init() >= 0);
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/tallyd-ledger-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->url, sizeof fixture->url, "sqlite:%s/tally.db", fixture->folder);
    (void)snprintf(fixture->keys_path, sizeof fixture->keys_path, "%s/keys", fixture->folder);
    fixture->clock = (struct clock){ fixture, wall, mono };
    make_database(fixture);
}

const char *fixture_open(struct fixture *fixture)
{
    static struct why why;

    fixture->keys =
        keys_open(fixture->keys_path, store_find(fixture->url, NULL, &why) == STORE_NONE, &why);
    if (!fixture->keys)
        return why.text;
    fixture->board = board_new();
    assert_non_null(fixture->board);
    fixture->store = store_open(&(struct store_settings){ .url = fixture->url,
                                                          .ballast_bytes = fixture->ballast_bytes,
                                                          .clock = &fixture->clock,
                                                          .keys = fixture->keys,
                                                          .keys_path = fixture->keys_path,
                                                          .random = randombytes_buf,
                                                          .prefix_v4 = 32,
                                                          .prefix_v6 = 64,
                                                          .forget_after_ms = INT64_MAX },
                                fixture->board, &why);
    if (fixture->store)
        return NULL;
    fixture_close(fixture);
    return why.text;
}

void fixture_close(struct fixture *fixture)
{
    store_free(fixture->store);
    board_free(fixture->board);
    keys_free(fixture->keys);
    fixture->store = NULL;
    fixture->board = NULL;
    fixture->keys = NULL;
}

void fixture_remove(struct fixture *fixture)
{
    struct dirent *entry;
    DIR *folder;

    fixture_close(fixture);
    remove_database(fixture);
    folder = opendir(fixture->folder);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        (void)unlinkat(dirfd(folder), entry->d_name, 0);
    (void)closedir(folder);
    assert_int_equal(rmdir(fixture->folder), 0);
}

int fixture_setup(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    *state = &fixture;
    return fixture_open(&fixture) ? -1 : 0;
}

int fixture_teardown(void **state)
{
    fixture_remove(*state);
    return 0;
}

static void read_answer(const struct job *job, struct answer *answer)
{
    answer->result = job->result;
    answer->problem = job->result == JOB_REFUSED ? job->refusal->problem : PROBLEM_NONE;
    answer->seq = job->seq;
    if (job->published) {
        struct tally tally;

        tally_work_out(job->published->poll, &job->published->counts, &tally);
        answer->votes = tally.votes;
    }
    published_free(job->published);
}

void fixture_make_version_1(struct fixture *fixture)
{
    static const char sql[] =
        "BEGIN;"
        "CREATE TABLE old (poll INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,"
        " voter BLOB NOT NULL, options INTEGER, replaces INTEGER, address BLOB,"
        " PRIMARY KEY (poll, seq)) STRICT, WITHOUT ROWID;"
        "INSERT INTO old SELECT poll, seq, at, voter, options, replaces, address FROM vote;"
        "DROP TABLE vote; ALTER TABLE old RENAME TO vote;"
        "ALTER TABLE poll DROP COLUMN rows_sum; ALTER TABLE poll DROP COLUMN sum;"
        "DELETE FROM meta WHERE name = 'live';"
        "PRAGMA user_version = 1; COMMIT";
    sqlite3 *db;

    fixture_close(fixture);
    assert_int_equal(sqlite3_open(fixture->url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void run(struct fixture *fixture, struct job *job, struct answer *answer)
{
    struct batch batch = { .jobs = &job, .n = 1, .now_ms = fixture->wall_ms };
    struct queue_list answered = { NULL, NULL, 0 };
    int64_t next_ms;
    size_t kept;

    answer->store = store_commit(fixture->store, &batch, &kept);
    while (kept > answered.n && answer->store != STORE_BROKEN)
        answer->store = store_work(fixture->store, false, &answered, &next_ms);
    read_answer(job, answer);
}

void fixture_put(struct fixture *fixture, const char *id, const char *json)
{
    struct edit *edit = calloc(1, sizeof *edit);
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = JOB_EDIT, .edit = edit, .refusal = &refusal };
    struct answer answer = { .votes = 0 };
    struct why why;

    assert_non_null(edit);
    assert_int_equal(json_parse(str_of(json), &edit->body, &why), JSON_OK);
    (void)snprintf(edit->id, sizeof edit->id, "%s", id);
    run(fixture, &job, &answer);
    if (answer.store != STORE_DONE || answer.result == JOB_REFUSED)
        fail_msg("PUT %s: %s", id, refusal.detail);
    edit_free(edit);
}

static struct answer ballot(struct fixture *fixture, const char *id, const char *voter,
                            enum job_kind kind, uint64_t marks, uint32_t address)
{
    struct published *published = board_get(fixture->board, str_of(id));
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = kind, .refusal = &refusal };
    struct answer answer = { .votes = 0 };

    assert_non_null(published);
    job.ballot = (struct ballot){ .poll = published->poll->number,
                                  .kind = VOTER_NAMED,
                                  .marks = marks,
                                  .has_address = address != 0 };
    keys_hash_voter(fixture->keys, published->poll, VOTER_NAMED, str_of(voter), &job.ballot.voter);
    job.ballot.address_group = keys_hash_address(
        fixture->keys, published->poll, (struct str){ (const char *)&address, sizeof address });
    published_free(published);
    run(fixture, &job, &answer);
    return answer;
}

struct answer fixture_vote(struct fixture *fixture, const char *id, const char *voter,
                           unsigned option, uint32_t address)
{
    return ballot(fixture, id, voter, JOB_VOTE, ballot_mark(option), address);
}

#define MANY 500

void fixture_vote_many(struct fixture *fixture, const char *id, size_t n)
{
    struct published *published = board_get(fixture->board, str_of(id));
    static struct job jobs[MANY];
    static struct job *all[MANY];
    struct refusal refusal = { .problem = PROBLEM_NONE };

    assert_non_null(published);
    for (size_t i = 0; i < n;) {
        struct batch batch = { .jobs = all, .now_ms = fixture->wall_ms };
        size_t kept;

        for (; batch.n < MANY && i < n; batch.n++) {
            char voter[32];

            (void)snprintf(voter, sizeof voter, "v%zu", ++i);
            jobs[batch.n] = (struct job){
                .kind = JOB_VOTE,
                .ballot = { .poll = published->poll->number, .kind = VOTER_NAMED, .marks = 1 },
                .refusal = &refusal
            };
            keys_hash_voter(fixture->keys, published->poll, VOTER_NAMED, str_of(voter),
                            &jobs[batch.n].ballot.voter);
            all[batch.n] = &jobs[batch.n];
        }
        assert_int_equal(store_commit(fixture->store, &batch, &kept), STORE_DONE);
        assert_int_equal(kept, 0);
        for (size_t k = 0; k < batch.n; k++) {
            assert_int_equal(jobs[k].result, JOB_COUNTED);
            published_free(jobs[k].published);
        }
    }
    published_free(published);
}

struct answer fixture_retract(struct fixture *fixture, const char *id, const char *voter)
{
    return ballot(fixture, id, voter, JOB_RETRACT, 0, 0);
}

static uint64_t number_of(struct fixture *fixture, const char *id)
{
    struct published *published = board_get(fixture->board, str_of(id));
    uint64_t number;

    assert_non_null(published);
    number = published->poll->number;
    published_free(published);
    return number;
}

struct answer fixture_void(struct fixture *fixture, const char *id, const uint32_t *seqs, size_t n)
{
    struct voiding voiding = { .poll = number_of(fixture, id), .n = n };
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = JOB_VOID, .voiding = &voiding, .refusal = &refusal };
    struct answer answer = { .votes = 0 };

    memcpy(voiding.seqs, seqs, n * sizeof *seqs);
    run(fixture, &job, &answer);
    answer.voided = voiding.voided;
    return answer;
}

static uint32_t newest_row(struct fixture *fixture, const char *id)
{
    struct scan scan = { .poll = number_of(fixture, id) };
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = JOB_SCAN, .scan = &scan, .refusal = &refusal };

    assert_int_equal(store_read(fixture->store, &job), STORE_DONE);
    return scan.end;
}

struct answer fixture_forget_found(struct fixture *fixture, const char *id, const uint32_t *seqs,
                                   size_t n, uint32_t end)
{
    struct forgetting forgetting = {
        .poll = number_of(fixture, id), .all = n == 0, .n = n, .end = end
    };
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = JOB_FORGET, .forgetting = &forgetting, .refusal = &refusal };
    struct answer answer = { .votes = 0 };

    if (n > 0)
        memcpy(forgetting.seqs, seqs, n * sizeof *seqs);
    randombytes_buf(forgetting.random.bytes, sizeof forgetting.random.bytes);
    run(fixture, &job, &answer);
    return answer;
}

struct answer fixture_forget(struct fixture *fixture, const char *id, const uint32_t *seqs,
                             size_t n)
{
    return fixture_forget_found(fixture, id, seqs, n, n > 0 ? newest_row(fixture, id) : 0);
}

void fixture_begin_asking(struct fixture *fixture, const char *id, const char *voter)
{
    struct published *published = board_get(fixture->board, str_of(id));
    struct job *job = &fixture->asked;
    struct batch batch = { .jobs = &job, .n = 1, .now_ms = fixture->wall_ms };
    size_t kept;

    assert_non_null(published);
    fixture->asked =
        (struct job){ .kind = JOB_ASK,
                      .ballot = { .poll = published->poll->number, .kind = VOTER_NAMED },
                      .refusal = &fixture->refusal };
    keys_hash_voter(fixture->keys, published->poll, VOTER_NAMED, str_of(voter),
                    &fixture->asked.ballot.voter);
    published_free(published);
    assert_int_equal(store_commit(fixture->store, &batch, &kept), STORE_DONE);
    assert_int_equal(kept, fixture_is_shared() ? 0 : 1);
    if (kept == 0) /* no voters have to be loaded there */
        queue_list_add(&fixture->answered, &fixture->asked.node);
}

void fixture_work(struct fixture *fixture, int times)
{
    int64_t next_ms;

    for (int i = 0; i < times; i++)
        assert_int_equal(store_work(fixture->store, false, &fixture->answered, &next_ms),
                         STORE_DONE);
}

struct answer fixture_end_asking(struct fixture *fixture)
{
    struct answer answer = { .store = STORE_DONE };

    while (fixture->answered.n == 0)
        fixture_work(fixture, 1);
    assert_ptr_equal(queue_list_take(&fixture->answered), &fixture->asked.node);
    read_answer(&fixture->asked, &answer);
    return answer;
}

uint64_t fixture_votes(struct fixture *fixture, const char *id)
{
    struct published *published = board_get(fixture->board, str_of(id));
    struct tally tally;

    assert_non_null(published);
    tally_work_out(published->poll, &published->counts, &tally);
    published_free(published);
    return tally.votes;
}
