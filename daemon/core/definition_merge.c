/*
 * core/definition_merge.c - JSON merge patch, RFC 7396.
 *
 * The result is built member by member instead of changed in place: so a member that is replaced
 * keeps its place, and with it a title its first language.
 *
 * Threads: any; nothing is shared.
 */
#include "core/definition_parts.h"

/* Takes `value` over.   false: no memory (NULL as value is that too) */
static bool add(cJSON *object, const char *name, cJSON *value)
{
    if (value && cJSON_AddItemToObject(object, name, value))
        return true;
    cJSON_Delete(value);
    return false;
}

/* Recursion is bounded: neither tree is deeper than json_parse() lets through. */
cJSON *merge_patch(const cJSON *target, const cJSON *patch)
{
    AUTO_TREE *merged = NULL;
    const cJSON *member;

    if (!cJSON_IsObject(patch))
        return cJSON_Duplicate(patch, true);
    if (!cJSON_IsObject(target))
        target = NULL;
    merged = cJSON_CreateObject();
    if (!merged)
        return NULL;
    cJSON_ArrayForEach(member, target)
    {
        const cJSON *change = cJSON_GetObjectItemCaseSensitive(patch, member->string);

        if (cJSON_IsNull(change))
            continue;
        if (!add(merged, member->string,
                 change ? merge_patch(member, change) : cJSON_Duplicate(member, true)))
            return NULL;
    }
    cJSON_ArrayForEach(member, patch)
    {
        if (cJSON_IsNull(member) || cJSON_GetObjectItemCaseSensitive(target, member->string))
            continue;
        if (!add(merged, member->string, merge_patch(NULL, member)))
            return NULL;
    }
    return TAKE(merged);
}
