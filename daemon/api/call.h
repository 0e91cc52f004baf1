/*
 * api/call.h - one request on its way through the api, and the answers to it.
 *
 * A call lives on the stack of its loop while its route runs. A route that has to ask the writer
 * leaves a pending behind (api/pending.h), which answers later on the same loop.
 */
#ifndef TALLYD_API_CALL_H
#define TALLYD_API_CALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/api.h"
#include "api/caller.h"
#include "api/complaints.h"
#include "api/rules.h"
#include "api/url.h"
#include "base/buf.h"
#include "core/json.h"
#include "core/limiter.h"
#include "core/queue.h"
#include "core/refusal.h"

struct painter;
struct pending;
struct pictures;
struct png;
struct request_line; /* api/request_log.c */
struct stream;       /* api/streams.h */
struct topics;       /* api/topics.c */
struct waiter;       /* api/waiting.c */

struct api_loop {                  /* all of it: its loop's thread, but for the first eight */
    _Atomic(struct rules *) fresh; /* main puts them in, the loop takes them out */
    _Atomic(struct token_keys *) fresh_tokens;
    struct queue answers; /* the writer puts them in; it locks itself */
    struct queue told;    /* the same, for watches */
    /* The loop writes these four, by tell_add(); any thread reads them. */
    atomic_uint_least64_t n_streams;
    atomic_uint_least64_t n_waiters;
    atomic_uint_least64_t refused[PROBLEM_KINDS];       /* answers */
    atomic_uint_least64_t refused_lines[PROBLEM_KINDS]; /* of bulks */
    const struct writer *writer;
    struct rules *rules;       /* that hold now; a reference */
    struct token_keys *tokens; /* that hold now; a reference, or NULL */
    struct topics *topics;     /* NULL: nobody has followed a poll yet */
    struct waiter *waiters;
    struct stream *streams;
    bool draining;                 /* nothing begins to wait any more */
    struct queue_list submissions; /* of this turn, handed over at its end */
    struct pending *spare;         /* freed pendings of one job, for the next votes */
    size_t n_spare;
    struct buf out;         /* a reply under construction */
    struct buf fields;      /* its header fields */
    struct url url;         /* of the request at hand */
    struct refusal refusal; /* of the request at hand */
};

struct api { /* written before the loops start, but for what `loops` holds */
    struct board *board;
    struct writer *writer;
    const struct keys *keys;
    void (*random)(void *bytes, size_t len);
    struct limiter *limiter;
    /* From reading or writing the token keys to handing them to the loops: else a reload that read
     * them just before a rotation would bring the older ones back. */
    pthread_mutex_t tokens_lock;
    struct complaints complaints; /* any thread */
    struct groups *long_calls;    /* long polls by address: as many as rules.streams */
    atomic_bool told_of_a_proxy;  /* any loop: the log has a line about it */
    struct pictures *pictures;    /* owned, as the painter; both lock themselves */
    struct painter *painter;
    struct png *png; /* owned; what is painted uses it, on the painter's thread */
    char *store_url; /* owned */
    int64_t started_ms;
    const char *backup_dir;
    size_t n_loops;
    struct api_loop *loops;
};

/* A new key signs and checks from now on; it is on disk before that. Blocks on the disk: the
 * writer's thread.
 *   returns  one reference; NULL: *reterr_why, and the keys there were go on */
MUST_USE struct token_keys *api_rotate(struct api *api, const struct token_files *files,
                                       int64_t now_s, struct why *reterr_why);

struct call {
    struct api *api;
    struct api_loop *loop;
    struct exchange *exchange;
    const struct http1_request *request;
    struct caller caller;
    struct request_line *line; /* NULL: requests are not logged */
    struct str id;             /* of the route's {id}, else empty */
};

/* A line in the log: who has done what. `poll` may be NULL. Any thread. */
void change_log(const struct who *who, const char *what, const char *poll);

/* On everything: a type is what it says, and other sites are not told where a reader was. */
#define BROWSER_FIELDS "X-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin\r\n"

/* Of a refusal for which there is no memory to write more. */
#define REFUSAL_FIELDS "Cache-Control: no-store\r\n" BROWSER_FIELDS
#define BUSY_FIELDS "Retry-After: 1\r\n" REFUSAL_FIELDS

/* Counts for others to read. The one thread that writes it; so no lock on the bus is needed. */
static inline void tell_add(atomic_uint_least64_t *to, int64_t n)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + (uint64_t)n,
                          memory_order_relaxed);
}

/* How an answer may be kept by caches (RFC 9111). */
enum caching {
    CACHE_NOT,     /* no-store */
    CACHE_PRIVATE, /* private, no-store: it depends on who asked */
    CACHE_TALLY,   /* public, max-age=1, stale-while-revalidate=5 */
    CACHE_AN_HOUR, /* public, max-age=3600: another one comes with an upgrade */
    CACHE_SCRIPT,  /* public, for five minutes: short, as it goes with the pages of its version */
    CACHE_FOR_EVER /* the address tells the bytes */
};

struct answer {
    unsigned status;
    const char *content_type; /* NULL: application/json */
    enum caching caching;
    const char *etag;      /* with its quotes, or NULL */
    const char *language;  /* Content-Language, or NULL */
    bool varies;           /* Vary: Accept-Language */
    const char *location;  /* or NULL */
    struct str more;       /* further header fields, each with its CRLF */
    const char *file_name; /* what a browser may save it as, or NULL; without quotes */
    bool unbuffered;       /* X-Accel-Buffering: no, or nginx would hold a stream back */
    struct str body[3];    /* one behind the other; copied */
};

/* Notes which page may read the answer, while the request is there. false: no memory. */
MUST_USE bool answer_note_origin(struct exchange *exchange, const struct api_loop *loop);

/* Answers and frees the exchange. */
void answer(struct exchange *exchange, struct api_loop *loop, const struct answer *answer);

/* Begins an answer whose body follows by exchange_add() and exchange_end(). false: there was no
 * memory, and that was answered: the exchange is gone. */
MUST_USE bool answer_begin(struct exchange *exchange, struct api_loop *loop,
                           const struct answer *answer);

/* Answers with a problem document (RFC 9457). `standing` is a JSON object for the member of that
 * name, or empty. */
void answer_refusal(struct exchange *exchange, struct api_loop *loop, const struct refusal *refusal,
                    struct str standing);

/* The same with Retry-After, in seconds; 0: the usual. */
void answer_refusal_after(struct exchange *exchange, struct api_loop *loop,
                          const struct refusal *refusal, struct str standing, uint64_t retry_s);

/* 405 with Allow: `methods`. */
void answer_not_allowed(struct exchange *exchange, struct api_loop *loop,
                        const struct refusal *refusal, const struct buf *methods);

/* Writes the header fields of a refusal, for who may read it and when to come again.
 *   retry_s  least Retry-After of 503 and 429 */
void refusal_fields(const struct exchange *exchange, unsigned status, uint64_t retry_s,
                    struct buf *fields);

/* Answers with what is in loop->fields and no body, or 503 when there was no memory for it. */
void answer_fields(struct exchange *exchange, struct api_loop *loop, unsigned status);

/* Writes the problem document of a refusal. */
void problem_render(const struct refusal *refusal, struct str standing, struct buf *out);

/* What is in loop->out, or 503 when there was no memory for all of it. */
void answer_out(struct exchange *exchange, struct api_loop *loop, struct answer *head);

/* 304 where If-None-Match names this ETag or is `*` (RFC 9110 §13.1.2, weak comparison). */
bool etag_matches(const struct http1_request *request, struct str etag);

/* The request's body has one of these media types (space-separated), or there is no body: else 415.
 */
MUST_USE bool call_type_ok(const struct call *call, const char *types, struct refusal *reterr);

enum body_rule { BODY_NEEDED, BODY_OPTIONAL };

/*
 * Reads the request's body as JSON.
 *
 *   types    the media types it may have, separated by spaces
 *   ret_json NULL where the body is optional and there is none
 *   returns  false: 400, 415 or 503 in *reterr
 */
MUST_USE bool call_json(const struct call *call, const char *types, enum body_rule rule,
                        struct json **ret_json, struct refusal *reterr);

/* Every member of an object is one of `names` (space-separated, or empty), and it is an object:
 * else 422. */
MUST_USE bool json_members_ok(const cJSON *body, const char *names, struct refusal *reterr);

/* Who votes, as the body has named them, else Authorization or the connection. */
MUST_USE bool call_voter(const struct call *call, const struct naming *named,
                         const struct poll *poll, struct ballot *ret_ballot,
                         struct refusal *reterr);

/* The published poll of the route's {id}, or NULL: 404 in *reterr. */
MUST_USE struct published *call_poll(const struct call *call, struct refusal *reterr);

/* Which of the published languages this request gets. */
size_t call_language(const struct call *call, const struct published *published);

/* Keeps a language for a later publication, whose languages may stand in another order. "" is that
 * of a text without one. */
#define LANGUAGE_TAG_BYTES_MAX 36
void language_keep(const struct published *published, size_t language,
                   char ret_tag[LANGUAGE_TAG_BYTES_MAX + 1]);
/* The same language again, or the first. */
size_t language_find(const struct published *published, const char *tag);

/* Gathers the languages of a list's texts: where all are in one, the answer can say so. Zeroed is
 * a list without any. */
struct languages {
    char tag[LANGUAGE_TAG_BYTES_MAX + 1]; /* of the first */
    bool any;
    bool several;
};
/* tag  of one text; NULL: it has none, and a list with it is in no language that could be told */
void languages_add(struct languages *languages, const char *tag);
/* That of all, or NULL; points into *languages. */
const char *languages_one(const struct languages *languages);

#endif
