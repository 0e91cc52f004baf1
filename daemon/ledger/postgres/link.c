/*
 * ledger/postgres/link.c - the one connection of a node to its engine: made, lost, made again.
 *
 * Threads: main while the store opens, then the writer.
 */
#include "ledger/postgres/link.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ledger/postgres/hosts.h"

#define ATTEMPT_MS 2000   /* one host may take so long to answer */
#define PAUSE_MS 50       /* between rounds of attempts */
#define WAIT_SLICE_MS 200 /* how often `turned` is called */
#define ROLL_BACK_MS 2000
#define REFUSED_SAID_MS 10000

struct link {
    struct hosts *hosts;
    size_t host; /* the one to be tried next: the one that answered last, if one did */
    PGconn *conn;
    uint64_t generation;
    bool silent;
    bool said_lost;
    int64_t say_refused_ms; /* that it refuses is not said again before */
    bool warned;
    struct why why;
    void (*turned)(void *context);
    void *turned_context;
    bool (*ended)(void);
    size_t n_queued;
    bool failed; /* one of them found no memory */
    size_t n_results;
    PGresult *results[LINK_STATEMENTS_MAX];
};

int64_t link_now_ms(void)
{
    return clock_mono_ms(&clock_system);
}

struct link *link_new(const char *url, struct why *reterr_why)
{
    AUTO(link) link = calloc(1, sizeof *link);

    if (!link)
        return why_set(reterr_why, "no memory for the store");
    link->hosts = hosts_new(url, reterr_why);
    return link->hosts ? TAKE(link) : NULL;
}

static void clear_results(struct link *link)
{
    while (link->n_results > 0)
        pq.PQclear(link->results[--link->n_results]);
}

static void drop(struct link *link)
{
    if (link->conn)
        pq.PQfinish(link->conn);
    link->conn = NULL;
    link->n_queued = 0;
    link->failed = false;
}

void link_free(struct link *link)
{
    if (!link)
        return;
    clear_results(link);
    drop(link);
    hosts_free(link->hosts);
    free(link);
}

void link_set_turned(struct link *link, void (*turned)(void *context), void *context)
{
    link->turned = turned;
    link->turned_context = context;
}

void link_set_ended(struct link *link, bool (*ended)(void))
{
    link->ended = ended;
}

void link_say_nothing(struct link *link)
{
    link->silent = true;
}

static bool is_over(const struct link *link, int64_t deadline_ms)
{
    return link_now_ms() >= deadline_ms || (link->ended && link->ended());
}

/* The first line of what libpq says, which names no password. */
static void remember_why(struct link *link, const char *message)
{
    why_set(&link->why, "%.*s", (int)strcspn(message, "\n"), message);
}

static void remember_silence(struct link *link)
{
    why_set(&link->why, "the server at \"%s\", port %s, does not answer", pq.PQhost(link->conn),
            pq.PQport(link->conn));
}

/* Waits for the socket, at most until the deadline. false: nothing has come of it yet. */
static bool wait_for(struct link *link, short events, int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - link_now_ms();
    struct pollfd socket = { .fd = link->conn ? pq.PQsocket(link->conn) : -1, .events = events };
    bool ready;

    if (left_ms > WAIT_SLICE_MS)
        left_ms = WAIT_SLICE_MS;
    ready = poll(&socket, 1, left_ms > 0 ? (int)left_ms : 0) > 0;
    if (link->turned)
        link->turned(link->turned_context);
    return ready;
}

static void take_notice(void *context, const PGresult *notice)
{
    struct link *link = context;
    const char *severity = pq.PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = pq.PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

    if (!severity || strcmp(severity, "WARNING") != 0)
        return;
    link->warned = true;
    log_line(LOG_WARNING, "the store's engine warns: %s", message ? message : "of nothing");
}

/* One attempt at one host. Asked before its socket is ready, libpq takes a connection for made and
 * waits for as long as the kernel does. */
static bool attempt(struct link *link, int64_t deadline_ms)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    link->conn = hosts_connect(link->hosts, link->host);
    if (!link->conn || pq.PQstatus(link->conn) == CONNECTION_BAD)
        status = PGRES_POLLING_FAILED;
    while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED &&
           !is_over(link, deadline_ms)) {
        if (wait_for(link, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms))
            status = pq.PQconnectPoll(link->conn);
    }
    if (status == PGRES_POLLING_OK && pq.PQsetnonblocking(link->conn, 1) == 0 &&
        pq.PQenterPipelineMode(link->conn) == 1) {
        (void)pq.PQsetNoticeReceiver(link->conn, take_notice, link);
        link->generation++;
        return true;
    }
    if (link->conn && status != PGRES_POLLING_FAILED)
        remember_silence(link);
    else
        remember_why(link, link->conn ? pq.PQerrorMessage(link->conn) : "no memory");
    drop(link);
    return false;
}

bool link_up(struct link *link, int64_t deadline_ms)
{
    while (!link->conn) {
        int64_t again_ms;

        for (size_t i = 0; !link->conn && i < hosts_count(link->hosts); i++) {
            int64_t until_ms = link_now_ms() + ATTEMPT_MS;

            if (!attempt(link, until_ms))
                link->host = (link->host + 1) % hosts_count(link->hosts);
        }
        if (link->conn)
            break;
        if (!link->said_lost && !link->silent)
            log_line(LOG_WARNING, "the store's engine is not there: %s; trying again, votes wait",
                     link->why.text);
        link->said_lost = true;
        if (is_over(link, deadline_ms))
            return false;
        again_ms = link_now_ms() + PAUSE_MS;
        (void)wait_for(link, 0, again_ms < deadline_ms ? again_ms : deadline_ms);
    }
    return true;
}

bool link_is_up(const struct link *link)
{
    return link->conn != NULL;
}

const char *link_why(const struct link *link)
{
    return link->why.text;
}

uint64_t link_generation(const struct link *link)
{
    return link->generation;
}

void link_queue(struct link *link, const char *sql, const struct values *values)
{
    static const struct values none = { .n = 0 };

    clear_results(link);
    assert(link->n_queued < LINK_STATEMENTS_MAX);
    link->n_queued++;
    if (!values)
        values = &none;
    if (!link->conn || link->failed)
        return;
    if (values->failed ||
        pq.PQsendQueryParams(link->conn, sql, values->n, values->types, values->at, values->lengths,
                             values->formats, 1) != 1)
        link->failed = true;
}

size_t link_queued(const struct link *link)
{
    return link->n_queued;
}

/* Until libpq has a result whole. false: lost. */
static bool wait_result(struct link *link, int64_t deadline_ms)
{
    for (;;) {
        int unsent = pq.PQflush(link->conn);

        if (unsent < 0)
            return false;
        if (!pq.PQisBusy(link->conn))
            return true;
        if (is_over(link, deadline_ms)) {
            remember_silence(link);
            return false;
        }
        (void)wait_for(link, unsent > 0 ? POLLIN | POLLOUT : POLLIN, deadline_ms);
        if (pq.PQconsumeInput(link->conn) != 1)
            return false;
    }
}

static bool next_result(struct link *link, int64_t deadline_ms, PGresult **ret_result)
{
    if (!wait_result(link, deadline_ms))
        return false;
    *ret_result = pq.PQgetResult(link->conn);
    return true;
}

/* SQLSTATE (PostgreSQL's appendix A) of those behind which the connection is no good. */
static bool means_lost(const char *state)
{
    return strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 ||
           strcmp(state, "40003") == 0 || /* it does not know itself what became of a COMMIT */
           strcmp(state, "25P03") == 0 || /* it waited for us for too long */
           strcmp(state, "25006") == 0;   /* it is a standby now */
}

/* Of those that another attempt may not meet. */
static bool means_again(const char *state)
{
    return strncmp(state, "40", 2) == 0 || /* serialization, deadlock */
           strcmp(state, "23505") == 0 ||  /* another node was faster with this key */
           strcmp(state, "55P03") == 0 ||  /* a lock was not to be had in time */
           strcmp(state, "57014") == 0;    /* a statement took too long */
}

static enum link_result judge(struct link *link, const PGresult *failed)
{
    const char *state = pq.PQresultErrorField(failed, PG_DIAG_SQLSTATE);
    const char *message = pq.PQresultErrorField(failed, PG_DIAG_MESSAGE_PRIMARY);

    remember_why(link, message ? message : pq.PQresultErrorMessage(failed));
    if (!state || means_lost(state))
        return LINK_LOST;
    if (means_again(state))
        return LINK_AGAIN;
    if (link_now_ms() >= link->say_refused_ms) /* every batch would, where a disk is full */
        log_line(LOG_ERROR, "the store's engine refuses: %s (%s)", link->why.text, state);
    link->say_refused_ms = link_now_ms() + REFUSED_SAID_MS;
    return LINK_REFUSED;
}

/* A result for each that was sent, then the pipeline's own. */
static enum link_result collect(struct link *link, size_t n, int64_t deadline_ms)
{
    enum link_result first = LINK_DONE;
    PGresult *end = NULL;

    for (size_t i = 0; i < n; i++) {
        PGresult *result = NULL;

        if (!next_result(link, deadline_ms, &result) || !result)
            return LINK_LOST;
        link->results[link->n_results++] = result;
        if (first == LINK_DONE && pq.PQresultStatus(result) == PGRES_FATAL_ERROR)
            first = judge(link, result);
        if (first == LINK_LOST || !next_result(link, deadline_ms, &end) || end) {
            pq.PQclear(end);
            return LINK_LOST;
        }
    }
    if (!next_result(link, deadline_ms, &end) || pq.PQresultStatus(end) != PGRES_PIPELINE_SYNC)
        first = LINK_LOST;
    pq.PQclear(end);
    return first;
}

static void say_lost(struct link *link)
{
    if (link->conn && pq.PQstatus(link->conn) == CONNECTION_BAD)
        remember_why(link, pq.PQerrorMessage(link->conn));
    if (!link->said_lost && !link->silent)
        log_line(LOG_WARNING, "the store's engine is lost: %s; connecting again, votes wait",
                 link->why.text);
    link->said_lost = true;
}

/* Only an answer shows it: a pooler takes connections for an engine that is not there. */
static void say_found(struct link *link)
{
    if (link->said_lost && !link->silent)
        log_line(LOG_NOTICE, "the store's engine is there again");
    link->said_lost = false;
}

enum link_result link_flush(struct link *link, int64_t deadline_ms)
{
    size_t n = link->n_queued;
    enum link_result result;

    link->n_queued = 0;
    link->warned = false;
    if (!link->conn)
        return LINK_LOST;
    if (link->failed || pq.PQpipelineSync(link->conn) != 1) {
        bool gone = pq.PQstatus(link->conn) == CONNECTION_BAD;

        if (gone)
            say_lost(link);
        drop(link); /* what was queued before it was not sent, and must not be */
        return gone ? LINK_LOST : LINK_NO_MEMORY;
    }
    result = collect(link, n, deadline_ms);
    if (result == LINK_LOST) {
        say_lost(link);
        drop(link);
    } else {
        say_found(link);
    }
    return result;
}

const PGresult *link_get(const struct link *link, size_t statement)
{
    assert(statement < link->n_results);
    return link->results[statement];
}

bool link_warned(const struct link *link)
{
    return link->warned;
}

void link_roll_back(struct link *link)
{
    if (!link->conn)
        return;
    link_queue(link, "ROLLBACK", NULL);
    if (link_flush(link, link_now_ms() + ROLL_BACK_MS) != LINK_DONE)
        drop(link);
}

bool link_script(struct link *link, const char *sql, int64_t deadline_ms)
{
    PGresult *result = NULL;
    bool sent = pq.PQexitPipelineMode(link->conn) == 1 && pq.PQsendQuery(link->conn, sql) == 1;
    bool ok = sent;

    while (sent && (sent = next_result(link, deadline_ms, &result)) && result) {
        if (ok && pq.PQresultStatus(result) == PGRES_FATAL_ERROR)
            ok = judge(link, result) == LINK_DONE;
        pq.PQclear(result);
    }
    if (sent && pq.PQenterPipelineMode(link->conn) == 1)
        return ok;
    say_lost(link);
    drop(link);
    return false;
}
