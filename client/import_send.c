/*
 * import_send.c - one request of an import: lines go out while answers come in.
 *
 * Threads: main.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "base/clock.h"
#include "csv.h"
#include "flow.h"
#include "import.h"
#include "json.h"
#include "live.h"

#define TURN_MS 100
#define IDLE_MS_MAX 10000       /* the daemon waits 30 s for a line that does not come */
#define ANSWER_BYTES_MAX 65536U /* no line of answers is longer */

uint64_t import_votes(const struct import *import)
{
    return import->counts[BULK_COUNTED] + import->counts[BULK_CHANGED] +
           import->counts[BULK_ALREADY];
}

static void reject(struct import *import, const struct window_line *line, struct str reason)
{
    progress_hide(&import->progress);
    rejects_add(import->rejects, line->number, line->text, reason);
}

/* Blank lines and broken records meet no answer: they go when they are the oldest. */
static void unanswered_drop(struct import *import)
{
    struct window_line line;

    while (window_first(import->window, &line) && (line.blank || line.broken)) {
        if (line.begun && !line.sent)
            return;
        import->answered += line.sent;
        if (line.broken)
            reject(import, &line, str_of(line.broken));
        window_drop(import->window);
    }
}

static void reject_answered(struct import *import, const struct window_line *line,
                            const struct bulk_answer *answer)
{
    AUTO_BUF reason = { 0 };

    json_text(&reason, answer->why);
    if (reason.len == 0)
        buf_format(&reason, "status %u, without a reason", answer->status);
    reject(import, line, buf_str(&reason));
}

/* One line of the answer. False: the request is over, as import->nonsense or ->again says. */
static bool answer_take(struct import *import, struct str text)
{
    struct bulk_answer answer = bulk_answer_read(text);
    struct window_line line;

    unanswered_drop(import);
    if (answer.result == BULK_NONSENSE || answer.line != import->answered + 1 ||
        !window_first(import->window, &line) || !line.sent) {
        import->nonsense = true;
        return false;
    }
    if (answer.result == BULK_AGAIN) {
        AUTO_BUF detail = { 0 };

        json_text(&detail, answer.why);
        import->again = true;
        why_set(&import->again_why, "line %" PRIu64 " is answered %u for now: %.*s", line.number,
                answer.status, (int)detail.len, detail.len > 0 ? detail.bytes : "");
        return false;
    }
    if (answer.result == BULK_REFUSED)
        reject_answered(import, &line, &answer);
    else
        import->counts[answer.result]++;
    import->answered++;
    import->stuck_ms = 0;
    window_drop(import->window);
    return true;
}

static bool answers_take(void *context, struct str bytes)
{
    struct import *import = context;

    import->moved_ms = clock_mono_ms(&clock_system);
    while (bytes.len > 0) {
        size_t len = str_find(bytes, '\n');
        struct str line = { bytes.at, len };

        if (import->partial.len > 0 || len == bytes.len) {
            buf_add(&import->partial, bytes.at, len);
            if (!buf_ok(&import->partial) || import->partial.len > ANSWER_BYTES_MAX)
                import->nonsense = true;
            if (import->nonsense || len == bytes.len)
                return !import->nonsense;
            line = buf_str(&import->partial);
        }
        if (!answer_take(import, line))
            return false;
        buf_clear(&import->partial);
        bytes = str_from(bytes, len + 1);
    }
    return true;
}

/* The body ends with the file, and while a pipe gives nothing for long: the daemon would end a
 * request that stands still, and one that has ended leaves nothing open. */
static bool body_ends(const struct import *import)
{
    bool idle = clock_mono_ms(&clock_system) - import->moved_ms > IDLE_MS_MAX;

    return import->failed != OUTCOME_DONE || import->ended ||
           (idle && window_count(import->window) == 0);
}

static size_t lines_give(void *context, char *bytes, size_t room)
{
    struct import *import = context;
    size_t len = window_send(import->window, bytes, room);

    if (len > 0)
        return len;
    if (window_failed(import->window) && import->failed == OUTCOME_DONE)
        import->failed = failed_here("no memory");
    return body_ends(import) ? 0 : FLOW_LATER;
}

static void header_take(struct import *import)
{
    size_t len;

    switch (window_header(import->window, &len)) {
    case WINDOW_HEADER_TAKEN:
        import->headed = true;
        return;
    case WINDOW_HEADER_LATER:
        return;
    case WINDOW_HEADER_WRONG:
        break;
    }
    complain("put the header there; nothing was sent", "%s:1: the header is not " CSV_HEADER,
             import->file);
    import->failed = OUTCOME_REFUSED;
}

static bool can_read(const struct import *import)
{
    return !import->ended && import->failed == OUTCOME_DONE && !window_full(import->window);
}

/* Reads a block, if one is there and there is room for it. */
void import_read(struct import *import)
{
    struct pollfd fd = { .fd = import->fd, .events = POLLIN };
    size_t room;
    char *at;
    ssize_t len;

    if (!can_read(import) || (import->waits && poll(&fd, 1, 0) <= 0))
        return;
    at = window_room(import->window, &room);
    if (!at) {
        import->failed =
            failed_here("%s:%" PRIu64 ": no memory for a line as long as this", import->file,
                        window_lines_done(import->window) + window_count(import->window) + 1);
        return;
    }
    len = read(import->fd, at, room);
    if (len < 0) {
        if (errno != EINTR && errno != EAGAIN)
            import->failed = failed_here("cannot read %s: %m", import->file);
        return;
    }
    import->moved_ms = clock_mono_ms(&clock_system);
    import->ended = len == 0;
    if (!window_added(import->window, (size_t)len, len == 0))
        import->failed = failed_here("no memory");
    else if (!import->headed)
        header_take(import);
}

static void turn(struct import *import, struct flow *flow)
{
    bool more;

    import_read(import);
    more = can_read(import);
    if (window_unsent(import->window) || body_ends(import))
        flow_go_on(flow);
    flows_turn(import->session->http, more && import->waits ? import->fd : -1,
               more && !import->waits && !window_unsent(import->window) ? 0 : TURN_MS);
    unanswered_drop(import);
    progress_show(&import->progress, window_bytes_done(import->window), import_votes(import));
}

/* Somebody was there, or this would have been the end: who is not there at the next try may come
 * again. */
static enum sent lost(struct import *import, const char *why)
{
    import->met = true;
    (void)why_set(&import->lost_why, "%s", why);
    return SENT_LOST;
}

/* The answer is complete. */
static enum sent answered(struct import *import, const struct http_answer *answer)
{
    import->met = true;
    if (answer->status == 503 || answer->status == 429 || answer->status == 408) {
        import->retry_after_s = answer->retry_after_s;
        (void)why_set(&import->lost_why, "the daemon answers %u for now", answer->status);
        return SENT_LOST;
    }
    if (outcome_of(answer->status) != OUTCOME_DONE) {
        import->failed = complain_of_refusal(import->file, answer);
        return SENT_FAILED;
    }
    unanswered_drop(import);
    return window_count(import->window) == 0 ? SENT_ALL : lost(import, "the answers ended early");
}

static enum sent ended(struct import *import, const struct flow *flow)
{
    const struct http_answer *answer = flow_answer(flow);

    if (import->failed != OUTCOME_DONE)
        return SENT_FAILED;
    if (import->nonsense) {
        complain("is this the address of a tallyd?", "%s: an answer is none to the line it is for",
                 import->file);
        import->failed = OUTCOME_FAILED;
        return SENT_FAILED;
    }
    if (import->again)
        return lost(import, import->again_why.text);
    if (flow_result(flow) == HTTP_ANSWERED)
        return answered(import, answer);
    if (flow_result(flow) == HTTP_NO_ANSWER ||
        (flow_result(flow) == HTTP_UNREACHABLE && import->met))
        return lost(import, flow_why(flow)->text);
    import->failed = complain_of_silence(flow_result(flow), flow_why(flow));
    return SENT_FAILED;
}

enum sent import_send(struct import *import)
{
    const struct http_request request = { .method = "POST",
                                          .path = STR("/v1/votes"),
                                          .type = "application/x-ndjson" };
    const struct flow_ends ends = { .give = lines_give, .take = answers_take, .context = import };
    struct why why = { "" };
    AUTO(flow) flow = NULL;

    window_rewind(import->window);
    buf_clear(&import->partial);
    import->answered = 0;
    import->retry_after_s = 0;
    import->nonsense = import->again = false;
    import->moved_ms = clock_mono_ms(&clock_system);
    flow = flow_start(import->session->http, &request, &ends, &why);
    if (!flow) {
        import->failed = failed_here("%s", why.text);
        return SENT_FAILED;
    }
    while (!flow_ended(flow)) {
        turn(import, flow);
        if (live_interrupted())
            return SENT_INTERRUPTED;
        if (flow_hung_up(flow))
            return lost(import, "the daemon hung up");
    }
    progress_hide(&import->progress);
    return ended(import, flow);
}
