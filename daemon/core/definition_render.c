/*
 * core/definition_render.c - a poll's definition as JSON: for readers, and for the ledger.
 *
 * Threads: any; nothing is shared.
 */
#include "core/definition.h"

#include "core/definition_parts.h"

static void render_text(const struct text *text, struct buf *out)
{
    if (!text->in[0].language) {
        buf_json_string(out, str_of(text->in[0].value));
        return;
    }
    for (size_t i = 0; i < text->n; i++) {
        buf_char(out, i == 0 ? '{' : ',');
        buf_json_string(out, str_of(text->in[i].language));
        buf_char(out, ':');
        buf_json_string(out, str_of(text->in[i].value));
    }
    buf_char(out, '}');
}

static void render_options(const struct poll *poll, struct buf *out)
{
    if (poll->kind == POLL_RATING) {
        buf_format(out, ",\"scale\":%zu", poll->n_options);
        return;
    }
    for (size_t i = 0; i < poll->n_options; i++) {
        buf_text(out, i == 0 ? ",\"options\":[{\"label\":" : ",{\"label\":");
        render_text(&poll->labels[i], out);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void render_word(const char *name, const char *word, struct buf *out)
{
    buf_format(out, ",\"%s\":\"%s\"", name, word);
}

static void render_moment(const char *name, int64_t at_ms, struct buf *out)
{
    buf_format(out, ",\"%s\":", name);
    if (at_ms == WHEN_NEVER) {
        buf_text(out, "null");
        return;
    }
    buf_char(out, '"');
    buf_time(out, at_ms);
    buf_char(out, '"');
}

static void render_about(const struct about *about, struct buf *out)
{
    const struct {
        const char *name;
        const char *value;
    } members[] = { { "type", about->type }, { "name", about->name }, { "url", about->url } };
    char before = '{';

    buf_text(out, ",\"about\":");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (!members[i].value)
            continue;
        buf_format(out, "%c\"%s\":", before, members[i].name);
        buf_json_string(out, str_of(members[i].value));
        before = ',';
    }
    buf_text(out, before == '{' ? "null" : "}");
}

void definition_members_render(const struct poll *poll, struct buf *out)
{
    buf_text(out, "{\"id\":");
    buf_json_string(out, str_of(poll->id));
    render_word("kind", poll_kind_word(poll->kind), out);
    buf_text(out, ",\"title\":");
    render_text(&poll->title, out);
    render_options(poll, out);
    buf_format(out, ",\"min_choices\":%u,\"max_choices\":%u", poll->min_choices, poll->max_choices);
    buf_format(out, ",\"revote\":%s,\"again_after\":", poll->revote ? "true" : "false");
    buf_int(out, poll->again_after_s);
    render_word("results", poll_results_word(poll->results), out);
    render_word("voters", poll_voters_word(poll->voters), out);
    buf_text(out, ",\"per_address\":");
    buf_uint(out, poll->per_address);
    render_moment("opens_at", poll->opens_at_ms, out);
    render_moment("closes_at", poll->closes_at_ms, out);
    render_word("state", poll_state_word(poll->state), out);
    render_about(&poll->about, out);
}

void definition_render(const struct poll *poll, int64_t updated_at_ms, struct buf *out)
{
    definition_members_render(poll, out);
    render_moment("created_at", poll->created_at_ms, out);
    render_moment("updated_at", updated_at_ms, out);
}

static void store_carried(const struct poll *poll, struct buf *out)
{
    const struct carried *carried = &poll->carried;

    if (!carried_any(carried))
        return;
    buf_text(out, ",\"carried\":");
    if (carried->sum_only) {
        buf_text(out, "{\"count\":");
        buf_uint(out, carried->count);
        buf_text(out, ",\"sum\":");
        buf_uint(out, carried->sum);
        buf_char(out, '}');
        return;
    }
    for (size_t i = 0; i < poll->n_options; i++) {
        buf_char(out, i == 0 ? '[' : ',');
        buf_uint(out, carried->marks[i]);
    }
    buf_text(out, "],\"carried_voters\":");
    buf_uint(out, carried->voters);
}

void definition_store(const struct poll *poll, struct buf *out)
{
    definition_members_render(poll, out);
    store_carried(poll, out);
    buf_text(out, ",\"revision\":");
    buf_uint(out, poll->revision);
    buf_text(out, ",\"created_at_ms\":");
    buf_int(out, poll->created_at_ms);
    buf_text(out, ",\"defined_at_ms\":");
    buf_int(out, poll->defined_at_ms);
    if (poll->closed_at_ms != WHEN_NEVER) {
        buf_text(out, ",\"closed_at_ms\":");
        buf_int(out, poll->closed_at_ms);
    }
    buf_char(out, '}');
}
