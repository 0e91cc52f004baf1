/*
 * core/definition_read.c - a whole definition, from JSON into a poll.
 *
 * Members are read in an order in which each finds what it depends on. A refusal does not end the
 * reading, so that people see all that is to be mended at once; only what depends on the refused
 * part is left out.
 *
 * Threads: any; nothing is shared.
 */
#include "core/definition.h"

#include <stdio.h>
#include <string.h>

#include "core/definition_parts.h"

#define AGAIN_AFTER_S_MAX 1000000000 /* 31 years */
#define ABOUT_TYPE_BYTES_MAX 64
#define ABOUT_BYTES_MAX 2000

static const cJSON *member(const struct reading *reading, const char *name)
{
    return json_member(reading->root, name);
}

bool definition_members_known(struct reading *reading)
{
    static const char *const names[] = {
        "id",     "kind",       "title",      "options",  "scale",       "min_choices",
        "revote", "results",    "voters",     "opens_at", "max_choices", "again_after",
        "state",  "closes_at",  "about",      "carried",  "per_address", "carried_voters",
        "tally",  "created_at", "updated_at", /* shown by GET, ignored here */
        NULL
    };

    if (!cJSON_IsObject(reading->root))
        return refuse_member(reading->refusal, "", "give an object");
    return members_known(reading, reading->root, "", names);
}

static bool id_read(struct reading *reading)
{
    const cJSON *item = member(reading, "id");
    struct str id = reading->id ? str_of(reading->id) : json_string(item);

    if (item && !str_eq(json_string(item), id))
        return refuse_member(reading->refusal, "/id", "this is not the id in the address");
    if (!poll_id_ok(id))
        return refuse_member(reading->refusal, "/id",
                             "an id is 1 to %d of A-Z a-z 0-9 . _ ~ -, the first of A-Z a-z 0-9",
                             POLL_ID_BYTES_MAX);
    memcpy(reading->poll->id, id.at, id.len);
    reading->poll->id[id.len] = '\0';
    return true;
}

/* Words of the contract by number, whatever enum they belong to. */
typedef const char *word_of(unsigned n);

static const char *kind_word(unsigned n)
{
    return poll_kind_word((enum poll_kind)n);
}

static const char *results_word(unsigned n)
{
    return poll_results_word((enum poll_results)n);
}

static const char *voters_word(unsigned n)
{
    return poll_voters_word((enum poll_voters)n);
}

static const char *state_word(unsigned n)
{
    return poll_state_word((enum poll_state)n);
}

/* The number from 0 to `last` whose word stands in member `name`, if that is there. */
static bool word_read(struct reading *reading, const char *name, word_of *word, unsigned last,
                      unsigned *ret_n)
{
    const cJSON *item = member(reading, name);
    char pointer[POINTER_BYTES_MAX];
    char words[64] = "";

    if (!item)
        return true;
    for (unsigned n = 0; n <= last; n++) {
        size_t len = strlen(words);

        if (cJSON_IsString(item) && str_eq(json_string(item), str_of(word(n)))) {
            *ret_n = n;
            return true;
        }
        (void)snprintf(words + len, sizeof words - len, "%s%s", n > 0 ? ", " : "", word(n));
    }
    (void)snprintf(pointer, sizeof pointer, "/%s", name);
    return refuse_member(reading->refusal, pointer, "give one of: %s", words);
}

static bool kind_read(struct reading *reading)
{
    unsigned kind = POLL_CHOICE;

    if (!word_read(reading, "kind", kind_word, POLL_RATING, &kind))
        return false;
    reading->poll->kind = (enum poll_kind)kind;
    return true;
}

static bool title_read(struct reading *reading)
{
    if (!member(reading, "title"))
        return refuse_member(reading->refusal, "/title", "a title is needed");
    return text_read(reading, member(reading, "title"), "/title", TITLE_BYTES_MAX,
                     &reading->poll->title);
}

static bool option_read(struct reading *reading, const cJSON *option, size_t at)
{
    static const char *const names[] = { "label", NULL };
    char pointer[POINTER_BYTES_MAX];

    (void)snprintf(pointer, sizeof pointer, "/options/%zu", at);
    if (!cJSON_IsObject(option))
        return refuse_member(reading->refusal, pointer, "give an object with a label");
    if (!members_known(reading, option, pointer, names))
        return false;
    (void)snprintf(pointer, sizeof pointer, "/options/%zu/label", at);
    if (!json_member(option, "label"))
        return refuse_member(reading->refusal, pointer, "a label is needed");
    return text_read(reading, json_member(option, "label"), pointer, LABEL_BYTES_MAX,
                     &reading->poll->labels[at]);
}

static bool options_read(struct reading *reading)
{
    const cJSON *options = member(reading, "options");
    int n = cJSON_GetArraySize(options);
    const cJSON *option;
    size_t at = 0;
    bool ok = true;

    if (member(reading, "scale"))
        return refuse_member(reading->refusal, "/scale", "only a rating has a scale");
    if (!cJSON_IsArray(options) || n < OPTIONS_MIN || n > OPTIONS_MAX)
        return refuse_member(reading->refusal, "/options", "give an array of %d to %d options",
                             OPTIONS_MIN, OPTIONS_MAX);
    reading->poll->n_options = (size_t)n;
    cJSON_ArrayForEach(option, options)
    {
        ok = option_read(reading, option, at) && ok;
        at++;
    }
    return ok;
}

static bool scale_read(struct reading *reading)
{
    int64_t scale = SCALE_DEFAULT;

    if (member(reading, "options"))
        return refuse_member(reading->refusal, "/options", "a rating has a scale, not options");
    if (!integer_read(reading, member(reading, "scale"), "/scale", OPTIONS_MIN, SCALE_MAX, &scale))
        return false;
    reading->poll->n_options = (size_t)scale;
    return true;
}

/* What is voted on, and how many of it. */
static bool choices_read(struct reading *reading)
{
    struct poll *poll = reading->poll;
    bool rating = poll->kind == POLL_RATING;
    int64_t most = 1;
    int64_t least = 1;

    if (!(rating ? scale_read(reading) : options_read(reading)))
        return false;
    if (!integer_read(reading, member(reading, "max_choices"), "/max_choices", 1,
                      rating ? 1 : (int64_t)poll->n_options, &most))
        return false;
    if (!integer_read(reading, member(reading, "min_choices"), "/min_choices", 1, most, &least))
        return false;
    poll->max_choices = (unsigned)most;
    poll->min_choices = (unsigned)least;
    return true;
}

static bool revote_read(struct reading *reading)
{
    const cJSON *item = member(reading, "revote");

    if (item && !cJSON_IsBool(item))
        return refuse_member(reading->refusal, "/revote", "give true or false");
    reading->poll->revote = cJSON_IsTrue(item);
    return true;
}

static bool again_after_read(struct reading *reading)
{
    return integer_read(reading, member(reading, "again_after"), "/again_after", 0,
                        AGAIN_AFTER_S_MAX, &reading->poll->again_after_s);
}

static bool results_read(struct reading *reading)
{
    unsigned results = RESULTS_ALWAYS;

    if (!word_read(reading, "results", results_word, RESULTS_AFTER_CLOSE, &results))
        return false;
    reading->poll->results = (enum poll_results)results;
    return true;
}

static bool voters_read(struct reading *reading)
{
    unsigned voters = VOTERS_TOKEN;

    if (!word_read(reading, "voters", voters_word, VOTERS_ACCOUNT, &voters))
        return false;
    reading->poll->voters = (enum poll_voters)voters;
    return true;
}

static bool per_address_read(struct reading *reading)
{
    int64_t limit = 0;

    if (!integer_read(reading, member(reading, "per_address"), "/per_address", 0, INT64_MAX,
                      &limit))
        return false;
    reading->poll->per_address = (uint64_t)limit;
    return true;
}

static bool moment_read(struct reading *reading, const cJSON *item, const char *pointer,
                        int64_t *ret_ms)
{
    if (!item || cJSON_IsNull(item))
        return true;
    if (!when_parse(json_string(item), ret_ms))
        return refuse_member(reading->refusal, pointer,
                             "give null or a time such as 2026-11-23T08:40:12Z");
    return true;
}

static bool times_read(struct reading *reading)
{
    struct poll *poll = reading->poll;
    bool opens = moment_read(reading, member(reading, "opens_at"), "/opens_at", &poll->opens_at_ms);
    bool closes =
        moment_read(reading, member(reading, "closes_at"), "/closes_at", &poll->closes_at_ms);

    if (!opens || !closes)
        return false;
    if (poll->opens_at_ms != WHEN_NEVER && poll->closes_at_ms <= poll->opens_at_ms)
        return refuse_member(reading->refusal, "/closes_at", "this is not after opens_at");
    return true;
}

static bool state_read(struct reading *reading)
{
    struct poll *poll = reading->poll;
    unsigned state = poll->state;

    if (!word_read(reading, "state", state_word, STATE_CLOSED, &state))
        return false;
    if ((enum poll_state)state == poll->state)
        return true;
    poll->state = (enum poll_state)state;
    poll->closed_at_ms = poll->state == STATE_CLOSED ? reading->now_ms : WHEN_NEVER;
    return true;
}

/* Pages link to it, so a `javascript:` has no business here. */
static bool url_read(struct reading *reading, const cJSON *item)
{
    struct str url = json_string(item);

    if (!str_starts(url, STR("https://")) && !str_starts(url, STR("http://")))
        return refuse_member(reading->refusal, "/about/url", "give an address with http or https");
    return plain_read(reading, item, "/about/url", ABOUT_BYTES_MAX, &reading->poll->about.url);
}

static bool about_read(struct reading *reading)
{
    static const char *const names[] = { "type", "name", "url", NULL };
    const cJSON *item = member(reading, "about");
    const cJSON *type = json_member(item, "type");
    const cJSON *name = json_member(item, "name");
    const cJSON *url = json_member(item, "url");
    struct about *about = &reading->poll->about;

    if (!item || cJSON_IsNull(item))
        return true;
    if (!cJSON_IsObject(item))
        return refuse_member(reading->refusal, "/about", "give null or an object");
    if (!members_known(reading, item, "/about", names))
        return false;
    if (type && !plain_read(reading, type, "/about/type", ABOUT_TYPE_BYTES_MAX, &about->type))
        return false;
    if (name && !plain_read(reading, name, "/about/name", ABOUT_BYTES_MAX, &about->name))
        return false;
    return !url || url_read(reading, url);
}

bool definition_read(struct reading *reading)
{
    static bool (*const readers[])(struct reading *) = {
        id_read,     title_read,       revote_read, again_after_read, results_read,
        voters_read, per_address_read, times_read,  state_read,       about_read,
    };
    bool ok = reading->stored || definition_members_known(reading);

    if (!cJSON_IsObject(reading->root))
        return false;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        ok = readers[i](reading) && ok;
    /* Each needs what the one before it read. */
    return kind_read(reading) && choices_read(reading) && carried_read(reading) && ok;
}
