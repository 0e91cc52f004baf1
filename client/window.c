/*
 * window.c - the lines of an import that have no answer yet, as they stand in the file.
 *
 * The bytes lie in one piece, answered ones in front; they are moved to the start when those are
 * half of it, so that each byte is moved once on average.
 *
 * Threads: main.
 */
#include "window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "csv.h"

#define READ_BYTES (256U << 10)
#define HEADER_BYTES_MAX 256U
#define MOVE_BYTES_MIN (1U << 20)
#define ENTRIES_ROOM (1U << 19)

static_assert(ENTRIES_ROOM > WINDOW_LINES_MAX + READ_BYTES + 2 * CSV_RECORD_BYTES_MAX,
              "a window that is not full takes a block of empty lines, behind a broken record");

struct entry {
    const char *broken;
    uint32_t len;   /* its line end with it */
    uint16_t lines; /* that it takes in the file; a record has fewer than its bytes */
    bool blank;
};

struct window {
    enum window_format format;
    bool ended;         /* the file has no more */
    bool header_known;  /* CSV: it was taken */
    struct buf bytes;   /* [0, head) answered, [head, known) in entries, the rest no whole line */
    size_t head;        /* the first byte that has no answer */
    size_t known;       /* behind the last whole line */
    size_t unsent;      /* the next byte to be sent; CSV: the next entry's */
    struct entry *ring; /* ENTRIES_ROOM of them */
    size_t first;       /* the oldest's place */
    size_t count;
    size_t unsent_entry; /* CSV: counted from the oldest */
    struct buf wire;     /* CSV: NDJSON that was made and not sent yet */
    size_t wire_at;
    uint64_t bytes_done;
    uint64_t lines_done;
};

struct window *window_new(enum window_format format)
{
    AUTO(window) window = calloc(1, sizeof *window);

    if (!window)
        return NULL;
    window->format = format;
    window->ring = calloc(ENTRIES_ROOM, sizeof *window->ring);
    return window->ring ? TAKE(window) : NULL;
}

void window_free(struct window *window)
{
    if (!window)
        return;
    buf_free(&window->bytes);
    buf_free(&window->wire);
    free(window->ring);
    free(window);
}

bool window_full(const struct window *window)
{
    return window->count >= WINDOW_LINES_MAX ||
           (window->count > 0 && window->bytes.len - window->head >= WINDOW_BYTES_MAX);
}

/* Moves what has no answer to the start. */
static void bytes_move(struct window *window)
{
    size_t head = window->head;

    if (head < MOVE_BYTES_MIN || head < window->bytes.len / 2)
        return;
    memmove(window->bytes.bytes, window->bytes.bytes + head, window->bytes.len - head);
    window->bytes.len -= head;
    window->known -= head;
    window->unsent -= head;
    window->head = 0;
}

char *window_room(struct window *window, size_t *ret_room)
{
    char *at;

    bytes_move(window);
    if (window->bytes.len - window->known > WINDOW_LINE_BYTES_MAX)
        return NULL;
    at = buf_reserve(&window->bytes, READ_BYTES);
    *ret_room = at ? READ_BYTES : 0;
    return at;
}

static void entry_add(struct window *window, size_t len, size_t lines, const char *broken,
                      bool blank)
{
    struct entry *entry = &window->ring[(window->first + window->count) % ENTRIES_ROOM];

    *entry = (struct entry){ broken, (uint32_t)len, (uint16_t)lines, blank };
    window->count++;
    window->known += len;
}

static bool is_blank(struct str line)
{
    size_t i = 0;

    while (i < line.len &&
           (line.at[i] == ' ' || line.at[i] == '\t' || line.at[i] == '\r' || line.at[i] == '\n'))
        i++;
    return i == line.len;
}

static void ndjson_scan(struct window *window)
{
    while (window->count < ENTRIES_ROOM && window->known < window->bytes.len) {
        const char *at = window->bytes.bytes + window->known;
        size_t left = window->bytes.len - window->known;
        const char *end = memchr(at, '\n', left);
        size_t len = end ? (size_t)(end - at) + 1 : 0;

        if (!end)
            return;
        entry_add(window, len, 1, NULL, is_blank((struct str){ at, len }));
    }
}

static void csv_scan(struct window *window)
{
    struct csv_record record;

    if (!window->header_known)
        return;
    while (window->count < ENTRIES_ROOM &&
           csv_next(str_from(buf_str(&window->bytes), window->known), window->ended, &record) ==
               CSV_RECORD)
        entry_add(window, record.len, record.lines, record.broken, record.blank);
}

bool window_added(struct window *window, size_t len, bool ended)
{
    struct buf *bytes = &window->bytes;

    bytes->len += len;
    /* The last line of a file may lack its end: what follows it on the wire must not join it. */
    if (ended && !window->ended && bytes->len > window->known &&
        bytes->bytes[bytes->len - 1] != '\n')
        buf_char(bytes, '\n');
    window->ended = ended;
    if (!buf_ok(bytes))
        return false;
    if (window->format == WINDOW_CSV)
        csv_scan(window);
    else
        ndjson_scan(window);
    return true;
}

enum window_header window_header(struct window *window, size_t *ret_len)
{
    struct str text = buf_str(&window->bytes);
    size_t len;

    if (!window->ended && str_find(text, '\n') == text.len && text.len <= HEADER_BYTES_MAX)
        return WINDOW_HEADER_LATER;
    if (!csv_header(text, &len))
        return WINDOW_HEADER_WRONG;
    window->header_known = true;
    window->head = window->known = window->unsent = len;
    window->bytes_done = len;
    window->lines_done = 1;
    *ret_len = len;
    csv_scan(window);
    return WINDOW_HEADER_TAKEN;
}

/* Makes NDJSON of records until there is enough of it. */
static void wire_fill(struct window *window, size_t enough)
{
    buf_clear(&window->wire);
    window->wire_at = 0;
    while (window->unsent_entry < window->count && window->wire.len < enough) {
        const struct entry *entry =
            &window->ring[(window->first + window->unsent_entry) % ENTRIES_ROOM];
        struct str record = { window->bytes.bytes + window->unsent, entry->len };

        if (!entry->broken && !entry->blank)
            csv_ndjson(&window->wire, record);
        window->unsent += entry->len;
        window->unsent_entry++;
    }
}

size_t window_send(struct window *window, char *bytes, size_t room)
{
    const char *from = window->bytes.bytes + window->unsent;
    size_t len = window->known - window->unsent;

    if (window->format == WINDOW_CSV) {
        if (window->wire_at == window->wire.len)
            wire_fill(window, room);
        from = window->wire.bytes + window->wire_at;
        len = window->wire.len - window->wire_at;
    }
    len = len < room ? len : room;
    if (len == 0 || !buf_ok(&window->wire))
        return 0;
    memcpy(bytes, from, len);
    if (window->format == WINDOW_CSV)
        window->wire_at += len;
    else
        window->unsent += len;
    return len;
}

bool window_unsent(const struct window *window)
{
    return window->unsent < window->known || window->wire_at < window->wire.len;
}

bool window_failed(const struct window *window)
{
    return !buf_ok(&window->wire) || !buf_ok(&window->bytes);
}

void window_rewind(struct window *window)
{
    window->unsent = window->head;
    window->unsent_entry = 0;
    window->wire_at = 0;
    buf_clear(&window->wire);
}

bool window_first(const struct window *window, struct window_line *ret_line)
{
    const struct entry *entry = &window->ring[window->first];

    if (window->count == 0)
        return false;
    *ret_line = (struct window_line){ .text = { window->bytes.bytes + window->head, entry->len },
                                      .number = window->lines_done + 1,
                                      .broken = entry->broken,
                                      .blank = entry->blank };
    if (window->format == WINDOW_NDJSON) {
        ret_line->begun = window->unsent > window->head;
        ret_line->sent = window->unsent >= window->head + entry->len;
    } else {
        ret_line->begun = ret_line->sent =
            window->unsent_entry > 0 && !entry->broken && !entry->blank;
    }
    return true;
}

void window_drop(struct window *window)
{
    const struct entry *entry = &window->ring[window->first];

    assert(window->count > 0);
    window->head += entry->len;
    window->bytes_done += entry->len;
    window->lines_done += entry->lines;
    window->first = (window->first + 1) % ENTRIES_ROOM;
    window->count--;
    if (window->unsent < window->head)
        window->unsent = window->head; /* it was not to be sent */
    else if (window->unsent_entry > 0)
        window->unsent_entry--;
}

size_t window_count(const struct window *window)
{
    return window->count;
}

uint64_t window_bytes_done(const struct window *window)
{
    return window->bytes_done;
}

uint64_t window_lines_done(const struct window *window)
{
    return window->lines_done;
}
