/*
 * pulse.c - how fast votes come, from one status of the daemon to the next.
 *
 * Threads: main.
 */
#include "pulse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "sparks.h"

#define ID_BYTES_MAX 128
#define GAP_CELLS 2
#define NAME_CELLS_MIN 14
#define NAME_CELLS_MAX 32
#define RATE_CELLS 14 /* "  1234567.8/s" */

struct line {
    char id[ID_BYTES_MAX + 1];
    double votes;                     /* as it was told last */
    double per_second[PULSE_SAMPLES]; /* the newest last */
    bool told;                        /* by the newest status */
};

struct pulse {
    size_t samples; /* that there are; the newest are kept */
    int64_t noted_ms;
    bool noted;
    struct line all;
    size_t n;
    struct line polls[PULSE_POLLS_MAX];
};

struct pulse *pulse_new(void)
{
    return calloc(1, sizeof(struct pulse));
}

void pulse_free(struct pulse *pulse)
{
    free(pulse);
}

/* The poll's line; a new one that has had no votes yet; or NULL, no place. */
static struct line *line_of(struct pulse *pulse, struct str id)
{
    struct line *line;

    for (size_t i = 0; i < pulse->n; i++) {
        if (str_eq(str_of(pulse->polls[i].id), id))
            return &pulse->polls[i];
    }
    if (pulse->n == PULSE_POLLS_MAX || id.len == 0 || id.len > ID_BYTES_MAX)
        return NULL;
    line = &pulse->polls[pulse->n++];
    *line = (struct line){ .votes = 0 };
    memcpy(line->id, id.at, id.len);
    return line;
}

/* A number that fell, at a restart or as a poll was noticed anew, began again at 0. */
static void sample(struct line *line, double votes, double seconds)
{
    double came = votes >= line->votes ? votes - line->votes : votes;

    memmove(line->per_second, line->per_second + 1,
            (PULSE_SAMPLES - 1) * sizeof line->per_second[0]);
    line->per_second[PULSE_SAMPLES - 1] = seconds > 0 ? came / seconds : 0;
    line->votes = votes;
    line->told = true;
}

/* Polls that the daemon names no more make room. */
static void drop_untold(struct pulse *pulse)
{
    size_t kept = 0;

    for (size_t i = 0; i < pulse->n; i++) {
        if (pulse->polls[i].told)
            pulse->polls[kept++] = pulse->polls[i];
    }
    pulse->n = kept;
}

void pulse_note(struct pulse *pulse, struct str status, int64_t now_ms)
{
    struct str rest = json_inside(json_member(status, "busiest"));
    double seconds = pulse->noted ? (double)(now_ms - pulse->noted_ms) / 1000 : 0;
    struct str poll;

    for (size_t i = 0; i < pulse->n; i++)
        pulse->polls[i].told = false;
    sample(&pulse->all, json_double(json_member(json_member(status, "commits"), "votes")), seconds);
    while (json_next(&rest, &poll)) {
        AUTO_BUF id = { 0 };
        struct line *line;

        json_text(&id, json_member(poll, "id"));
        line = line_of(pulse, buf_str(&id));
        if (line)
            sample(line, json_double(json_member(poll, "votes")), seconds);
    }
    drop_untold(pulse);
    if (pulse->noted && pulse->samples < PULSE_SAMPLES)
        pulse->samples++;
    pulse->noted = true;
    pulse->noted_ms = now_ms;
}

static double sum_of(const struct line *line)
{
    double sum = 0;

    for (size_t i = 0; i < PULSE_SAMPLES; i++)
        sum += line->per_second[i];
    return sum;
}

static double most_of(const struct line *line)
{
    double most = 0;

    for (size_t i = 0; i < PULSE_SAMPLES; i++)
        most = line->per_second[i] > most ? line->per_second[i] : most;
    return most;
}

static int by_sum(const void *a, const void *b)
{
    const struct line *left = *(const struct line *const *)a;
    const struct line *right = *(const struct line *const *)b;
    double more = sum_of(right) - sum_of(left);

    return more > 0 ? 1 : more < 0 ? -1 : strcmp(left->id, right->id);
}

/* An id is ASCII. One that is too long is cut, with a mark that no id has at its end. */
static void name_add(struct buf *out, const char *id, size_t cells)
{
    struct str name = str_of(id);
    bool cut = name.len > cells - GAP_CELLS;

    if (cut)
        name.len = cells - GAP_CELLS - 1;
    screen_text(out, name);
    if (cut)
        buf_char(out, '>');
    screen_spaces(out, cells - name.len - cut);
}

static void line_add(struct buf *out, const struct screen *screen, const struct pulse *pulse,
                     const struct line *line, size_t name_cells, double most)
{
    size_t taken = name_cells + RATE_CELLS;
    size_t bars = screen->cells > taken ? screen->cells - taken : 0;

    bars = bars < pulse->samples ? bars : pulse->samples;
    name_add(out, line->id, name_cells);
    if (screen->utf8 && bars > 0) {
        screen_style(out, screen, STYLE_BAR);
        sparks_bars(out, line->per_second + PULSE_SAMPLES - bars, bars, most);
        screen_plain(out, screen);
        buf_char(out, ' ');
    }
    buf_format(out, "%.1f/s\n", line->per_second[PULSE_SAMPLES - 1]);
}

void pulse_add(struct buf *out, const struct screen *screen, const struct pulse *pulse)
{
    const struct line *order[PULSE_POLLS_MAX];
    size_t name_cells = NAME_CELLS_MIN;
    struct line all = pulse->all;
    size_t n = 0;

    if (pulse->samples == 0)
        return;
    for (size_t i = 0; i < pulse->n; i++) {
        if (sum_of(&pulse->polls[i]) > 0)
            order[n++] = &pulse->polls[i];
    }
    qsort(order, n, sizeof(const struct line *), by_sum);
    n = n < PULSE_SHOWN_MAX ? n : PULSE_SHOWN_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t cells = strlen(order[i]->id) + GAP_CELLS;

        name_cells = cells > name_cells ? cells : name_cells;
    }
    name_cells = name_cells < NAME_CELLS_MAX ? name_cells : NAME_CELLS_MAX;
    memcpy(all.id, "all votes", sizeof "all votes");
    buf_char(out, '\n');
    line_add(out, screen, pulse, &all, name_cells, most_of(&all));
    for (size_t i = 0; i < n; i++)
        line_add(out, screen, pulse, order[i], name_cells, most_of(order[0]));
}
