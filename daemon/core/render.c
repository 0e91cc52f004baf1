/*
 * core/render.c - a tally as JSON.
 *
 * Threads: any; nothing is shared.
 */
#include "core/render.h"

static void member(struct buf *out, const char *name_and_colon, struct str text)
{
    buf_text(out, name_and_colon);
    buf_json_string(out, text);
}

static void head(const struct poll *poll, const struct tally *tally, enum poll_phase phase,
                 const char *language, struct buf *out)
{
    buf_text(out, "{\"id\":\"");
    buf_text(out, poll->id); /* an id has no character that JSON escapes */
    buf_text(out, "\",\"kind\":\"");
    buf_text(out, poll_kind_word(poll->kind));
    buf_text(out, "\",\"state\":\"");
    buf_text(out, poll_phase_word(phase));
    member(out, "\",\"title\":", str_of(text_value(&poll->title, language)));
    buf_text(out, ",\"votes\":");
    buf_uint(out, tally->votes);
    buf_text(out, ",\"voters\":");
    buf_uint(out, tally->voters);
    buf_text(out, ",\"carried\":");
    buf_uint(out, tally->carried);
}

static void rating(const struct poll *poll, const struct tally *tally, struct buf *out)
{
    char mean[24];

    buf_text(out, ",\"rating\":");
    if (tally->rated) {
        tally_decimal(tally->rating_hundredths, 2, mean);
        buf_text(out, mean);
    } else {
        buf_text(out, "null");
    }
    buf_text(out, ",\"scale\":");
    buf_uint(out, poll->n_options);
}

static void option(const struct poll *poll, const struct tally *tally, size_t i,
                   const char *language, struct buf *out)
{
    const struct tally_option *counted = &tally->options[i];
    char share[24];

    tally_decimal(counted->share_millionths, 6, share);
    buf_text(out, "{\"option\":");
    buf_uint(out, i + 1);
    buf_text(out, ",\"label\":");
    if (poll->kind == POLL_RATING) {
        buf_char(out, '"');
        buf_uint(out, i + 1);
        buf_char(out, '"');
    } else {
        buf_json_string(out, str_of(text_value(&poll->labels[i], language)));
    }
    buf_text(out, ",\"votes\":");
    buf_uint(out, counted->votes);
    buf_text(out, ",\"percent\":");
    buf_uint(out, counted->percent);
    buf_text(out, ",\"share\":");
    buf_text(out, share);
    buf_text(out, ",\"shown\":\"");
    buf_text(out, counted->shown);
    buf_text(out, "\"}");
}

void render_tally(const struct poll *poll, const struct counts *counts, enum poll_phase phase,
                  const char *language, struct buf *out)
{
    struct tally tally;

    tally_work_out(poll, counts, &tally);
    head(poll, &tally, phase, language, out);
    if (poll->kind == POLL_RATING)
        rating(poll, &tally, out);
    buf_text(out, ",\"options\":[");
    for (size_t i = 0; i < tally.n_options; i++) {
        if (i > 0)
            buf_char(out, ',');
        option(poll, &tally, i, language, out);
    }
    buf_text(out, "],\"version\":");
    buf_uint(out, counts->version);
    buf_text(out, ",\"updated_at\":\"");
    buf_time(out, counts->updated_at_ms);
    buf_text(out, "\"}");
}
