/*
 * bitrix_rating.c - ratings of articles in Bitrix: the properties vote_count and vote_sum of an
 * information block's elements.
 *
 * Its property `rating` is no mean: it is drawn towards a constant, and is not read.
 *
 * Threads: main.
 */
#include "cells.h"
#include "origins.h"
#include "report.h"

enum property_cell { P_ID, P_CODE };
enum value_cell { VALUE_PROPERTY, VALUE_ELEMENT, VALUE_TEXT };
enum element_cell { E_ID, E_NAME };
enum kind_of_property { PROPERTY_COUNT = 1, PROPERTY_SUM };

static const char stem[] = "bitrix-article";

static bool property_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    bool count = cell_is(row, P_CODE, "vote_count");
    uint64_t id;

    if (!count && !cell_is(row, P_CODE, "vote_sum"))
        return true;
    return cell_count(row, P_ID, &id, reterr_fault) &&
           takeover_note(with, 'p', id, count ? PROPERTY_COUNT : PROPERTY_SUM, reterr_fault);
}

static struct old_poll *poll_of(struct takeover *takeover, const struct row *row, uint64_t element,
                                struct fault *reterr_fault)
{
    struct old_poll *poll = takeover_find(takeover, stem, element);

    if (poll)
        return poll;
    poll = takeover_add(takeover, row, stem, element, reterr_fault);
    if (!poll)
        return NULL;
    if (old_poll_stars(poll, takeover_scale(takeover)))
        return poll;
    (void)fault_memory(reterr_fault);
    return NULL;
}

static bool value_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    const size_t *kind;
    struct old_poll *poll;
    uint64_t property;
    uint64_t element;
    uint64_t whole;
    int64_t milli;

    if (!cell_count(row, VALUE_PROPERTY, &property, reterr_fault))
        return false;
    kind = takeover_noted(takeover, 'p', property);
    if (!kind)
        return true;
    if (!cell_count(row, VALUE_ELEMENT, &element, reterr_fault) ||
        !cell_milli(row, VALUE_TEXT, &milli, reterr_fault))
        return false;
    poll = poll_of(takeover, row, element, reterr_fault);
    if (!poll)
        return false;
    whole = (uint64_t)(milli < 0 ? 0 : (milli + 500) / 1000);
    if (milli < 0 || milli % 1000 != 0)
        report(poll->id, "its count or sum is no whole number; it is rounded to %llu",
               (unsigned long long)whole);
    if (*kind == PROPERTY_COUNT)
        poll->rated = whole;
    else
        poll->sum = whole;
    return true;
}

static bool element_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct old_poll *poll;
    uint64_t id;

    if (!cell_count(row, E_ID, &id, reterr_fault))
        return false;
    poll = takeover_find(with, stem, id);
    if (!poll || poll->title)
        return true;
    return takeover_text(row, E_NAME, STORED_PLAIN, &poll->title, reterr_fault);
}

static const struct table tables[] = {
    { "b_iblock_property", 1, true, { "ID", "CODE" }, property_take },
    { "b_iblock_element_property",
      2,
      true,
      { "IBLOCK_PROPERTY_ID", "IBLOCK_ELEMENT_ID", "VALUE" },
      value_take },
    { "b_iblock_element", 3, false, { "ID", "NAME" }, element_take },
};

const struct origin origin_bitrix_rating = {
    .name = "bitrix-rating",
    .prefix = "",
    .help = "ratings of articles in Bitrix (vote_count, vote_sum)",
    .tables = tables,
    .count = sizeof tables / sizeof tables[0],
};
