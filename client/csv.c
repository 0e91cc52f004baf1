/*
 * csv.c - votes as CSV (RFC 4180): poll, options joined by |, voter.
 *
 * Threads: any; nothing is shared.
 */
#include "csv.h"

#include <string.h>

#include "base/utf8.h"

#define FIELDS 3
#define OPTION_DIGITS_MAX 18

enum field { FIELD_POLL, FIELD_OPTIONS, FIELD_VOTER };

/* A field as it stands; a quoted one without its quotes, those inside still doubled. */
struct field_text {
    struct str text;
    bool quoted;
};

static const char broken_quote[] = "a quote is not closed, or something stands behind it";
static const char broken_count[] = "a record has the three fields " CSV_HEADER;
static const char broken_options[] = "options are numbers joined by |, as 2 or 1|3";
static const char broken_text[] = "this is no UTF-8";
static const char broken_length[] = "a record has at most 16 KiB";

/* Moves *at, which is inside a quoted field, behind the quote that closes it; false: none does. */
static bool quote_end(struct str text, size_t *at)
{
    for (;;) {
        *at += str_find(str_from(text, *at), '"');
        if (*at == text.len)
            return false;
        ++*at;
        if (*at == text.len || text.at[*at] != '"')
            return true;
        ++*at; /* "" is a quote inside */
    }
}

/* The length of the line end that `at` is at; 0: there is none. */
static size_t line_end(struct str text, size_t at)
{
    if (at < text.len && text.at[at] == '\n')
        return 1;
    return at + 1 < text.len && text.at[at] == '\r' && text.at[at + 1] == '\n' ? 2 : 0;
}

static bool is_half_line_end(struct str text, size_t at)
{
    return at + 1 == text.len && text.at[at] == '\r';
}

static bool field_ends(struct str text, size_t at)
{
    return at >= text.len || text.at[at] == ',' || line_end(text, at) > 0;
}

static bool quoted_read(struct str text, size_t *at, struct field_text *ret_field)
{
    size_t start = ++*at;

    if (!quote_end(text, at) || !field_ends(text, *at))
        return false;
    *ret_field = (struct field_text){ { text.at + start, *at - start - 1 }, true };
    return true;
}

/* Reads a field from *at on, which moves to what stands behind it, or to where its quotes are
 * wrong: false. */
static bool field_read(struct str text, size_t *at, struct field_text *ret_field)
{
    size_t start = *at;
    size_t end = start;

    if (start < text.len && text.at[start] == '"')
        return quoted_read(text, at, ret_field);
    while (end < text.len && text.at[end] != ',' && text.at[end] != '\n' && text.at[end] != '"')
        end++;
    if (end > start && line_end(text, end - 1) == 2)
        end--;
    *at = end;
    *ret_field = (struct field_text){ { text.at + start, end - start }, false };
    return end == text.len || text.at[end] != '"'; /* RFC 4180 §2.5: none without quotes around */
}

static bool are_options(struct str options)
{
    size_t digits = 0;

    for (size_t i = 0; i < options.len; i++) {
        if (options.at[i] >= '0' && options.at[i] <= '9' && digits < OPTION_DIGITS_MAX) {
            digits++;
        } else if (options.at[i] == '|' && digits > 0) {
            digits = 0;
        } else {
            return false;
        }
    }
    return digits > 0;
}

/* Reads the record; NULL, or why it is broken. *ret_at is behind it, line end left out, or where it
 * breaks. */
static const char *record_read(struct str text, struct field_text ret_fields[FIELDS],
                               size_t *ret_at)
{
    const char *broken = NULL;
    size_t at = 0;

    for (size_t i = 0; i < FIELDS && !broken; i++) {
        if (i > 0 && (at >= text.len || text.at[at] != ',')) {
            broken = broken_count;
            break;
        }
        at += i > 0;
        if (!field_read(text, &at, &ret_fields[i]))
            broken = broken_quote;
    }
    if (!broken && at < text.len && line_end(text, at) == 0)
        broken = broken_count;
    *ret_at = at;
    return broken;
}

/* The line that `text` begins with, its end left out; false: its end is not there yet. */
static bool first_line(struct str text, bool all, struct csv_record *ret_record,
                       struct str *ret_line)
{
    size_t len = str_find(text, '\n');

    if (len == text.len && !all)
        return false;
    *ret_record = (struct csv_record){ .len = len < text.len ? len + 1 : len, .lines = 1 };
    if (len < text.len && len > 0 && text.at[len - 1] == '\r')
        len--;
    *ret_line = (struct str){ text.at, len };
    return true;
}

static const char *vote_check(const struct field_text fields[FIELDS], struct str record)
{
    if (!are_options(fields[FIELD_OPTIONS].text))
        return broken_options;
    if (record.len > CSV_RECORD_BYTES_MAX)
        return broken_length;
    return utf8_valid(record) ? NULL : broken_text;
}

static size_t lines_of(struct str record)
{
    size_t lines = 1;

    for (size_t at = str_find(record, '\n'); at < record.len;
         at += 1 + str_find(str_from(record, at + 1), '\n'))
        lines++;
    return lines;
}

enum csv_result csv_next(struct str text, bool all, struct csv_record *ret_record)
{
    struct field_text fields[FIELDS];
    struct csv_record record;
    struct str window = text;
    struct str line;
    size_t at;

    if (text.len == 0)
        return all ? CSV_END : CSV_MORE;
    if (!first_line(text, all, &record, &line))
        return CSV_MORE;
    record.blank = line.len == 0;
    if (!record.blank) {
        if (window.len > line.len + CSV_RECORD_BYTES_MAX)
            window.len = line.len + CSV_RECORD_BYTES_MAX;
        record.broken = record_read(window, fields, &at);
        if (!all && at > line.len && (at == text.len || is_half_line_end(text, at)))
            return CSV_MORE; /* a quoted field goes on in what follows */
        if (!record.broken && at == window.len && window.len < text.len)
            record.broken = broken_length;
        if (!record.broken) {
            struct str whole = { text.at, at };

            record.len = at + line_end(text, at);
            record.lines = lines_of(whole);
            record.broken = vote_check(fields, whole);
        }
    }
    *ret_record = record;
    return CSV_RECORD;
}

static void text_add(struct buf *out, const struct field_text *field)
{
    AUTO_BUF single = { 0 };
    struct str rest = field->text;

    if (!field->quoted || str_find(rest, '"') == rest.len) {
        buf_json_string(out, rest);
        return;
    }
    while (rest.len > 0) {
        size_t plain = str_find(rest, '"');

        if (plain == rest.len) {
            buf_str_add(&single, rest);
            break;
        }
        buf_add(&single, rest.at, plain + 1);
        rest = str_from(rest, plain + 2); /* they are doubled, or the field would have ended */
    }
    out->failed |= !buf_ok(&single);
    buf_json_string(out, buf_str(&single));
}

/* JSON has no 02. */
static void option_add(struct buf *out, struct str digits)
{
    while (digits.len > 1 && digits.at[0] == '0')
        digits = str_from(digits, 1);
    buf_str_add(out, digits);
}

void csv_ndjson(struct buf *out, struct str record)
{
    struct field_text fields[FIELDS] = { 0 };
    struct str options;
    struct str option;
    size_t len = 0;
    bool several;

    (void)record_read(record, fields, &len);
    options = fields[FIELD_OPTIONS].text;
    several = str_find(options, '|') < options.len;
    buf_text(out, "{\"poll\":");
    text_add(out, &fields[FIELD_POLL]);
    buf_text(out, several ? ",\"options\":[" : ",\"option\":");
    for (bool first = true; str_next(&options, '|', &option); first = false) {
        if (!first)
            buf_char(out, ',');
        option_add(out, option);
    }
    buf_text(out, several ? "],\"voter\":" : ",\"voter\":");
    text_add(out, &fields[FIELD_VOTER]);
    buf_text(out, "}\n");
}

bool csv_header(struct str text, size_t *ret_len)
{
    const struct str mark = STR("\xEF\xBB\xBF");
    const struct str header = STR(CSV_HEADER);
    size_t at = str_starts(text, mark) ? mark.len : 0;

    if (!str_starts(str_from(text, at), header))
        return false;
    at += header.len;
    if (at < text.len && line_end(text, at) == 0)
        return false;
    *ret_len = at + line_end(text, at);
    return true;
}
