/*
 * flow.c - requests whose bodies or answers stream, and several requests at once.
 *
 * Threads: main.
 */
#include "flow.h"

#include <poll.h>
#include <stdlib.h>

#include "http_own.h"

#define STALL_S_MAX 60L
#define UPLOAD_BYTES (256L << 10)
#define DOWNLOAD_BYTES (256L << 10)

struct flow {
    struct http *http;
    CURL *curl;
    struct curl_slist *fields;
    struct flow_ends ends;
    struct http_answer answer;
    struct why why;
    enum http_result result; /* once it has ended */
    int socket;              /* opened last; -1: none. It may be closed by now */
    bool ended;
    bool paused; /* give had nothing */
    bool moved;  /* something was taken since flow_hung_up() was asked */
    bool hung;   /* and what it saw then */
    char error[CURL_ERROR_SIZE];
};

static size_t bytes_take(char *bytes, size_t size, size_t count, void *context)
{
    struct flow *flow = context;
    bool taken;

    flow->moved = true;
    if (flow->answer.status == 0)
        http_answer_read(flow->curl, &flow->answer);
    if (flow->ends.take && flow->answer.status >= 200 && flow->answer.status < 300)
        taken = flow->ends.take(flow->ends.context, (struct str){ bytes, count });
    else
        taken = http_body_add(&flow->answer.body, bytes, count);
    return taken ? size * count : 0; /* another number ends the transfer */
}

static size_t bytes_give(char *bytes, size_t size, size_t count, void *context)
{
    struct flow *flow = context;
    size_t given = flow->ends.give(flow->ends.context, bytes, size * count);

    if (given != FLOW_LATER)
        return given;
    flow->paused = true;
    return CURL_READFUNC_PAUSE;
}

/* CURLINFO_ACTIVESOCKET tells of a connection only when its transfer has ended. */
static int socket_note(void *context, curl_socket_t socket, curlsocktype purpose)
{
    struct flow *flow = context;

    (void)purpose;
    flow->socket = socket;
    return CURL_SOCKOPT_OK;
}

/* The answer to Expect comes before the body: who may not send it hears so at once. */
static bool body_streams(struct flow *flow, const char *type)
{
    CURL *curl = flow->curl;

    return http_field_add(&flow->fields, "Content-Type: ", type) &&
           http_field_add(&flow->fields, "Transfer-Encoding: ", "chunked") &&
           http_field_add(&flow->fields, "Expect: ", "100-continue") &&
           curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK && /* no body twice */
           curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, socket_note) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, flow) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_READFUNCTION, bytes_give) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_READDATA, flow) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES) == CURLE_OK;
}

static bool prepare(struct flow *flow, const struct http_request *request)
{
    AUTO_BUF url = { 0 };
    CURL *curl = flow->curl;

    return http_url_add(&url, flow->http, request->path) &&
           http_fields_add(&flow->fields, flow->http, request) &&
           (flow->ends.give || http_field_add(&flow->fields, "Expect:", "")) &&
           http_settle(flow->http, curl, flow->error) &&
           http_prepare(curl, request, url.bytes, NULL) &&
           (!flow->ends.give || body_streams(flow, request->type)) &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, flow->fields) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, bytes_take) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, flow) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PRIVATE, flow) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, DOWNLOAD_BYTES) == CURLE_OK &&
           (request->most_ms > 0 ||
            (curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 0L) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_S_MAX) == CURLE_OK));
}

struct flow *flow_start(struct http *http, const struct http_request *request,
                        const struct flow_ends *ends, struct why *reterr_why)
{
    AUTO(flow) flow = calloc(1, sizeof *flow);

    if (!http->multi)
        http->multi = curl_multi_init();
    if (!flow || !http->multi)
        return why_set(reterr_why, "no memory");
    flow->http = http;
    flow->socket = -1;
    flow->ends = *ends;
    flow->curl = curl_easy_init();
    if (!flow->curl || !prepare(flow, request) ||
        curl_multi_add_handle(http->multi, flow->curl) != CURLM_OK)
        return why_set(reterr_why, "no memory");
    return TAKE(flow);
}

void flow_free(struct flow *flow)
{
    if (!flow)
        return;
    if (flow->curl) {
        (void)curl_multi_remove_handle(flow->http->multi, flow->curl);
        curl_easy_cleanup(flow->curl);
    }
    curl_slist_free_all(flow->fields);
    buf_free(&flow->answer.body);
    free(flow);
}

void flow_go_on(struct flow *flow)
{
    if (!flow->paused || flow->ended)
        return;
    flow->paused = false;
    (void)curl_easy_pause(flow->curl, CURLPAUSE_CONT);
}

bool flow_ended(const struct flow *flow)
{
    return flow->ended;
}

enum http_result flow_result(const struct flow *flow)
{
    return flow->result;
}

const struct http_answer *flow_answer(const struct flow *flow)
{
    return &flow->answer;
}

const struct why *flow_why(const struct flow *flow)
{
    return &flow->why;
}

static void end(struct flow *flow, CURLcode code)
{
    flow->ended = true;
    http_answer_read(flow->curl, &flow->answer);
    flow->result = http_result_of(code);
    if (code != CURLE_OK)
        http_tell(flow->http, flow->curl, code, flow->error, &flow->why);
}

bool flow_hung_up(struct flow *flow)
{
    struct pollfd fd = { .fd = flow->socket, .events = POLLRDHUP };
    bool before = flow->hung && !flow->moved;

    flow->moved = false;
    flow->hung = flow->paused && !flow->ended && poll(&fd, 1, 0) > 0 && fd.revents & POLLRDHUP;
    return flow->hung && before;
}

static bool some_ended(struct http *http)
{
    bool some = false;
    int left;
    CURLMsg *message;

    while ((message = curl_multi_info_read(http->multi, &left))) {
        struct flow *flow = NULL;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &flow) == CURLE_OK && flow)
            end(flow, message->data.result);
        some = true;
    }
    return some;
}

void flows_turn(struct http *http, int fd, int64_t most_ms)
{
    struct curl_waitfd extra = { .fd = fd, .events = CURL_WAIT_POLLIN };
    int running = 0;

    (void)curl_multi_perform(http->multi, &running);
    if (!some_ended(http))
        (void)curl_multi_poll(http->multi, &extra, fd >= 0 ? 1 : 0, (int)most_ms, NULL);
}
