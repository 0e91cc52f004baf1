/*
 * api/bulk_line.c - one line of POST /v1/votes.
 *
 * Threads: any loop; nothing is shared.
 */
#include "api/bulk_line.h"

#include <string.h>

#include "api/ballots.h"
#include "core/json.h"

#define PLAIN_DIGITS_MAX 3

void bulk_reader_forget(struct bulk_reader *reader)
{
    published_free(reader->published);
    reader->published = NULL;
}

static void skip_space(struct str *rest)
{
    while (rest->len > 0 && (rest->at[0] == ' ' || rest->at[0] == '\t' || rest->at[0] == '\r'))
        *rest = str_from(*rest, 1);
}

static bool take(struct str *rest, char c)
{
    skip_space(rest);
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

static bool take_string(struct str *rest, struct str *ret)
{
    size_t len = 0;

    if (!take(rest, '"'))
        return false;
    while (len < rest->len && rest->at[len] != '"') {
        if ((unsigned char)rest->at[len] < ' ' || rest->at[len] == '\\')
            return false;
        len++;
    }
    if (len == rest->len)
        return false;
    *ret = (struct str){ rest->at, len };
    *rest = str_from(*rest, len + 1);
    return true;
}

static bool take_number(struct str *rest, unsigned *ret)
{
    unsigned n = 0;
    size_t len = 0;

    skip_space(rest);
    while (len < rest->len && rest->at[len] >= '0' && rest->at[len] <= '9') {
        if (len == PLAIN_DIGITS_MAX)
            return false;
        n = n * 10 + (unsigned)(rest->at[len++] - '0');
    }
    if (len == 0 || rest->at[0] == '0')
        return false;
    *rest = str_from(*rest, len);
    *ret = n;
    return true;
}

static bool take_member(struct str *rest, struct plain_line *line)
{
    struct str name;

    if (!take_string(rest, &name) || !take(rest, ':'))
        return false;
    if (str_eq(name, STR("poll")))
        return !line->poll.at && take_string(rest, &line->poll);
    if (str_eq(name, STR("voter")))
        return !line->voter.at && take_string(rest, &line->voter);
    line->is_rating = str_eq(name, STR("rating"));
    return line->number == 0 && (line->is_rating || str_eq(name, STR("option"))) &&
           take_number(rest, &line->number);
}

bool plain_line_read(struct str text, struct plain_line *ret_line)
{
    struct plain_line line = { .number = 0 };
    struct str rest = text;

    if (!take(&rest, '{') || !take_member(&rest, &line) || !take(&rest, ',') ||
        !take_member(&rest, &line) || !take(&rest, ',') || !take_member(&rest, &line) ||
        !take(&rest, '}'))
        return false;
    skip_space(&rest);
    if (rest.len > 0)
        return false;
    *ret_line = line; /* three members, none twice: all three are there */
    return true;
}

/* false: 404. */
static bool find_poll(struct bulk_reader *reader, struct str id, struct refusal *reterr)
{
    if (reader->published && str_eq(str_of(reader->published->poll->id), id))
        return true;
    bulk_reader_forget(reader);
    reader->published = board_get(reader->board, id);
    return reader->published || refuse(reterr, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
}

static bool find_voter(const struct bulk_reader *reader, struct str voter, uint64_t marks,
                       struct ballot *ret_ballot, struct refusal *reterr)
{
    const struct naming naming = { .voter = voter };
    const struct poll *poll = reader->published->poll;

    if (!caller_voter(&reader->caller, &naming, reader->keys, NULL, poll, 0, ret_ballot, reterr) ||
        !ballot_voter_ok(poll, ret_ballot->kind, reterr))
        return false;
    ret_ballot->marks = marks;
    return true;
}

/* false: the line is not plain, or something is wrong with it that the JSON reader will name. */
static bool read_plain(struct bulk_reader *reader, struct str text, struct ballot *ret_ballot)
{
    struct plain_line line;
    const struct poll *poll;
    uint64_t marks;

    if (!plain_line_read(text, &line) || !find_poll(reader, line.poll, NULL))
        return false;
    poll = reader->published->poll;
    if (line.number > poll->n_options || (line.is_rating && poll->kind != POLL_RATING))
        return false;
    marks = ballot_mark(line.number);
    return ballot_marks_ok(poll, marks, "", NULL) &&
           find_voter(reader, line.voter, marks, ret_ballot, NULL);
}

static bool is_member(const char *name)
{
    return strcmp(name, "poll") == 0 || ballot_member(name);
}

static bool read_members(struct bulk_reader *reader, const cJSON *body, struct ballot *ret_ballot,
                         struct refusal *reterr)
{
    const cJSON *poll;
    struct naming naming;
    uint64_t marks;

    if (!naming_read(body, is_member, &naming, reterr))
        return false;
    poll = json_member(body, "poll");
    if (!cJSON_IsString(poll))
        return refuse_member(reterr, "/poll", "names the poll by its id");
    if (naming.token.at)
        return refuse_member(reterr, "/token", "lines name their voter by voter");
    if (!naming.voter.at)
        return refuse_member(reterr, "/voter", "names who votes");
    return find_poll(reader, json_string(poll), reterr) &&
           choice_read(body, reader->published->poll, &marks, reterr) &&
           find_voter(reader, naming.voter, marks, ret_ballot, reterr);
}

bool bulk_line_read(struct bulk_reader *reader, struct str text, struct ballot *ret_ballot,
                    struct refusal *reterr)
{
    AUTO(json) json = NULL;
    struct why why;

    if (read_plain(reader, text, ret_ballot))
        return true;
    switch (json_parse(text, &json, &why)) {
    case JSON_OK:
        return read_members(reader, json_root(json), ret_ballot, reterr);
    case JSON_BAD:
        return refuse(reterr, PROBLEM_MALFORMED, "the line is not JSON: %s", why.text);
    case JSON_NO_MEMORY:
        break;
    }
    return refuse(reterr, PROBLEM_BUSY, "no memory for this line; send it again");
}
