/*
 * core/jsonld.c - a tally as schema.org's JSON-LD.
 *
 * Threads: any; nothing is shared.
 */
#include "core/jsonld.h"

static void member(struct buf *out, const char *name_and_colon, const char *text)
{
    buf_text(out, name_and_colon);
    buf_json_string(out, str_of(text));
}

static void number(struct buf *out, const char *name_and_colon, uint64_t n)
{
    buf_text(out, name_and_colon);
    buf_uint(out, n);
}

/* The thing that is rated or asked about, as far as it is known. */
static void about(const struct about *about, const char *name, struct buf *out)
{
    if (!about->type && !about->name && !about->url)
        return;
    buf_text(out, name);
    member(out, ":{\"@type\":", about->type ? about->type : "Thing");
    if (about->name)
        member(out, ",\"name\":", about->name);
    if (about->url)
        member(out, ",\"url\":", about->url);
    buf_char(out, '}');
}

static void rating(const struct poll *poll, const struct tally *tally, struct buf *out)
{
    char mean[24];

    tally_decimal(tally->rating_hundredths, 2, mean);
    buf_text(out, "\"AggregateRating\",\"ratingValue\":");
    buf_text(out, mean);
    number(out, ",\"ratingCount\":", tally->votes);
    number(out, ",\"bestRating\":", poll->n_options);
    number(out, ",\"worstRating\":", 1);
    about(&poll->about, ",\"itemReviewed\"", out);
}

/* The answers are the options; how many people have chosen is an interaction's counter. */
static void question(const struct poll *poll, const struct tally *tally, const char *language,
                     struct buf *out)
{
    member(out, "\"Question\",\"name\":", text_value(&poll->title, language));
    if (language)
        member(out, ",\"inLanguage\":", language);
    number(out, ",\"answerCount\":", poll->n_options);
    buf_text(out, ",\"suggestedAnswer\":[");
    for (size_t i = 0; i < poll->n_options; i++) {
        number(out,
               i > 0 ? ",{\"@type\":\"Answer\",\"position\":"
                     : "{\"@type\":\"Answer\",\"position\":",
               i + 1);
        member(out, ",\"text\":", text_value(&poll->labels[i], language));
        number(out, ",\"upvoteCount\":", tally->options[i].votes);
        buf_char(out, '}');
    }
    number(out,
           "],\"interactionStatistic\":{\"@type\":\"InteractionCounter\","
           "\"interactionType\":{\"@type\":\"VoteAction\"},\"userInteractionCount\":",
           tally->voters);
    buf_char(out, '}');
    about(&poll->about, ",\"about\"", out);
}

void jsonld_render(const struct poll *poll, const struct counts *counts, const char *language,
                   struct buf *out)
{
    struct tally tally;

    tally_work_out(poll, counts, &tally);
    buf_text(out, "{\"@context\":\"https://schema.org\",\"@type\":");
    if (poll->kind == POLL_RATING)
        rating(poll, &tally, out);
    else
        question(poll, &tally, language, out);
    buf_char(out, '}');
}
