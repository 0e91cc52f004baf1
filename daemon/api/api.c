/*
 * api/api.c - the handler that net calls, and what each loop keeps for it.
 *
 * Threads: api_new(), api_attach(), api_free() main's; the handler's functions are called by each
 * loop for itself.
 */
#include "api/api.h"

#include <assert.h>
#include <stdlib.h>

#include "api/call.h"
#include "api/painter.h"
#include "api/pending.h"
#include "api/pictures.h"
#include "api/request_log.h"
#include "api/routes.h"
#include "api/streams.h"
#include "api/topics.h"
#include "api/waiting.h"
#include "base/alloc.h"
#include "net/groups.h"
#include "web/png.h"

#define JSON_BODY_BYTES_MAX (16 * 1024)
#define DEFINITION_BYTES_MAX (256 * 1024)
#define LIMITER_BUCKETS 65536 /* 1 MiB, whoever comes */
#define PICTURES_BYTES_MAX (16 * 1024 * 1024)

static void wake_loop(void *context)
{
    loop_wake(context);
}

static void set_rules(struct api *api, struct rules *rules)
{
    for (enum limiter_kind kind = 0; kind < LIMIT_KINDS; kind++)
        limiter_set_rate(api->limiter, kind, rules->rates[kind]);
    groups_limit(api->long_calls, rules->streams);
    for (size_t i = 0; i < api->n_loops; i++)
        rules_free(atomic_exchange(&api->loops[i].fresh, rules_ref(rules)));
}

static void set_tokens(struct api *api, struct token_keys *tokens)
{
    for (size_t i = 0; i < api->n_loops; i++)
        token_keys_free(atomic_exchange(&api->loops[i].fresh_tokens, token_keys_ref(tokens)));
}

struct api *api_new(const struct api_settings *settings)
{
    AUTO(api) api = must_alloc(sizeof *api);
    unsigned char seed[SIPHASH_KEY_BYTES];

    complaints_init(&api->complaints);
    api->board = settings->board;
    api->writer = settings->writer;
    api->keys = settings->keys;
    api->random = settings->random;
    api->store_url = str_copy(str_of(settings->store_url));
    api->started_ms = settings->started_ms;
    api->backup_dir = settings->backup_dir;
    (void)pthread_mutex_init(&api->tokens_lock, NULL);
    api->n_loops = settings->loops;
    api->loops = must_alloc(settings->loops * sizeof *api->loops);
    for (size_t i = 0; i < settings->loops; i++)
        api->loops[i].writer = settings->writer;
    settings->random(seed, sizeof seed);
    api->limiter = limiter_new(LIMITER_BUCKETS, seed);
    api->long_calls = groups_new(0);
    api->pictures = pictures_new(PICTURES_BYTES_MAX);
    api->painter = api->pictures ? painter_new(api->pictures) : NULL;
    api->png = png_new(settings->png_module);
    if (!api->limiter || !api->long_calls || !api->painter || !api->png)
        return NULL;
    set_rules(api, settings->rules);
    set_tokens(api, settings->tokens);
    return TAKE(api);
}

void api_free(struct api *api)
{
    if (!api)
        return;
    painter_free(api->painter);
    png_free(api->png);
    pictures_free(api->pictures);
    for (size_t i = 0; i < api->n_loops; i++) {
        if (api->loops[i].answers.wake) {
            waiting_sweep(api, &api->loops[i], INT64_MAX, true);
            topics_free(api, &api->loops[i]);
            queue_destroy(&api->loops[i].told);
            queue_destroy(&api->loops[i].answers);
        }
        rules_free(atomic_exchange(&api->loops[i].fresh, NULL));
        rules_free(api->loops[i].rules);
        token_keys_free(atomic_exchange(&api->loops[i].fresh_tokens, NULL));
        token_keys_free(api->loops[i].tokens);
        pending_free_spare(&api->loops[i]);
        buf_free(&api->loops[i].out);
        buf_free(&api->loops[i].fields);
    }
    complaints_end(&api->complaints);
    (void)pthread_mutex_destroy(&api->tokens_lock);
    limiter_free(api->limiter);
    groups_free(api->long_calls);
    free(api->loops);
    free(api->store_url);
    free(api);
}

void api_attach(struct api *api, struct loop *loop)
{
    assert(loop_number(loop) < api->n_loops);
    queue_init(&api->loops[loop_number(loop)].answers, wake_loop, loop);
    queue_init(&api->loops[loop_number(loop)].told, wake_loop, loop);
}

bool api_reload(struct api *api, struct rules *rules, int64_t now_s, struct why *reterr_why)
{
    const struct token_files files = rules_token_files(rules);
    struct token_keys *tokens;

    (void)pthread_mutex_lock(&api->tokens_lock);
    tokens = token_keys_open(&files, now_s, reterr_why);
    if (tokens)
        set_tokens(api, tokens);
    (void)pthread_mutex_unlock(&api->tokens_lock);
    if (!tokens)
        return false;
    token_keys_free(tokens);
    set_rules(api, rules);
    return true;
}

struct token_keys *api_rotate(struct api *api, const struct token_files *files, int64_t now_s,
                              struct why *reterr_why)
{
    struct token_keys *tokens;

    (void)pthread_mutex_lock(&api->tokens_lock);
    tokens = token_keys_rotate(files, now_s, reterr_why);
    if (tokens)
        set_tokens(api, tokens);
    (void)pthread_mutex_unlock(&api->tokens_lock);
    return tokens;
}

/* Nearly always there is nothing: a look costs less than a swap. */
static void take_fresh(struct api_loop *mine)
{
    if (atomic_load_explicit(&mine->fresh, memory_order_relaxed)) {
        rules_free(mine->rules);
        mine->rules = atomic_exchange(&mine->fresh, NULL);
    }
    if (atomic_load_explicit(&mine->fresh_tokens, memory_order_relaxed)) {
        token_keys_free(mine->tokens);
        mine->tokens = atomic_exchange(&mine->fresh_tokens, NULL);
    }
}

static struct api_loop *loop_of(struct api *api, const struct loop *loop)
{
    return &api->loops[loop_number(loop)];
}

static bool ends_with(struct str s, struct str end)
{
    return s.len >= end.len && str_eq(str_from(s, s.len - end.len), end);
}

static void plan(void *context, const struct http1_request *request, struct exchange_plan *ret_plan)
{
    bool defines = request->method == METHOD_PUT || request->method == METHOD_PATCH;

    (void)context;
    ret_plan->streams = request->method == METHOD_POST && url_path_is(request->path, "/v1/votes");
    ret_plan->body_bytes_max = defines && !ends_with(request->path, STR("/carried"))
                                   ? DEFINITION_BYTES_MAX
                                   : JSON_BODY_BYTES_MAX;
    /* The writer keeps votes of one connection in order, so they need not wait for each other. */
    ret_plan->overlaps = !ret_plan->streams &&
                         (request->method == METHOD_POST || request->method == METHOD_DELETE) &&
                         ends_with(request->path, STR("/votes"));
}

static void handle(void *context, struct exchange *exchange)
{
    struct api *api = context;
    struct call call = { .api = api,
                         .loop = loop_of(api, exchange_loop(exchange)),
                         .exchange = exchange,
                         .request = exchange_request(exchange) };

    take_fresh(call.loop);
    call.line = request_log_begin(&call);
    routes_call(&call);
}

static enum problem problem_of(unsigned status)
{
    switch (status) {
    case 400:
        return PROBLEM_MALFORMED;
    case 408:
        return PROBLEM_TIMEOUT;
    case 413:
        return PROBLEM_TOO_LARGE;
    case 414:
        return PROBLEM_URI_TOO_LONG;
    case 431:
        return PROBLEM_HEAD_TOO_LARGE;
    case 501:
        return PROBLEM_NOT_IMPLEMENTED;
    default:
        return PROBLEM_BUSY;
    }
}

static void refuse_for_net(void *context, struct loop *loop, struct exchange *exchange,
                           unsigned status, const char *detail, struct reply *ret_reply)
{
    struct api *api = context;
    struct api_loop *mine = loop_of(api, loop);
    struct refusal *refusal = &mine->refusal;
    bool noted;

    take_fresh(mine);
    noted = !exchange_request(exchange) || answer_note_origin(exchange, mine);
    refuse(refusal, problem_of(status), "%s", detail);
    complain_of_peer(&api->complaints, refusal->problem, detail, loop_mono_ms(loop));
    if (mine->rules->log_requests)
        request_log_refused(problem_status(refusal->problem), detail);
    tell_add(&mine->refused[refusal->problem], 1);
    buf_clear(&mine->out);
    problem_render(refusal, (struct str){ NULL, 0 }, &mine->out);
    *ret_reply = (struct reply){ .status = problem_status(refusal->problem), .close = true };
    refusal_fields(exchange, ret_reply->status, 0, &mine->fields);
    ret_reply->fields = buf_str(&mine->fields);
    if (!noted || !buf_ok(&mine->fields))
        ret_reply->fields = ret_reply->status == 503 ? STR(BUSY_FIELDS) : STR(REFUSAL_FIELDS);
    if (!buf_ok(&mine->out))
        return; /* no memory: the status alone has to do */
    ret_reply->content_type = "application/problem+json";
    ret_reply->n_pieces = 1;
    ret_reply->pieces[0] = buf_str(&mine->out);
}

static void woken(void *context, struct loop *loop)
{
    struct api_loop *mine = loop_of(context, loop);
    struct queue_list answers = queue_take(&mine->answers);
    struct queue_node *node;

    take_fresh(mine);
    while ((node = queue_list_take(&answers)) != NULL) {
        struct job *job = (struct job *)node;

        job->back(job);
    }
    answers = queue_take(&mine->told);
    while ((node = queue_list_take(&answers)) != NULL)
        topics_told(context, mine, (struct watch *)node);
}

static void ticks(void *context, struct loop *loop)
{
    struct api *api = context;

    complaints_tell(&api->complaints, loop_mono_ms(loop));
    writer_tell(api->writer, loop_mono_ms(loop));
    waiting_sweep(context, loop_of(context, loop), loop_mono_ms(loop), false);
    streams_tick(loop_of(context, loop), loop_mono_ms(loop));
}

static void drains(void *context, struct loop *loop)
{
    struct api *api = context;
    struct api_loop *mine = loop_of(api, loop);

    mine->draining = true;
    waiting_sweep(api, mine, loop_mono_ms(loop), true);
    streams_drain(mine);
    painter_end_soon(api->painter);
}

static void turn_ends(void *context, struct loop *loop)
{
    struct api *api = context;
    struct api_loop *mine = loop_of(api, loop);

    if (mine->submissions.n > 0)
        writer_submit(api->writer, &mine->submissions);
}

struct http_handler api_handler(struct api *api)
{
    return (struct http_handler){ .context = api,
                                  .plan = plan,
                                  .handle = handle,
                                  .refuse = refuse_for_net,
                                  .woken = woken,
                                  .ticks = ticks,
                                  .drains = drains,
                                  .turn_ends = turn_ends };
}
