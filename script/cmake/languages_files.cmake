# Run at build time by languages(): writes OUT/words_list.h (enum word, by the keys of en.txt) and
# OUT/words_list.c (a struct words for each of FILES).
cmake_minimum_required(VERSION 3.25)
set(keys "") # of English, in its order
set(tables "")
set(list "")

# refused-already → REFUSED_ALREADY
function(constant ret_name key)
  string(TOUPPER "${key}" name)
  string(REGEX REPLACE "[.-]" "_" name "${name}")
  set(${ret_name} "${name}" PARENT_SCOPE)
endfunction()

function(take_file file)
  get_filename_component(language ${file} NAME_WE)
  file(READ ${file} rest)
  set(rows "")
  set(rule "")
  while(TRUE)
    string(FIND "${rest}" "\n" end)
    if(end EQUAL -1)
      break()
    endif()
    string(SUBSTRING "${rest}" 0 ${end} line)
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${rest}" ${end} -1 rest)
    if(line MATCHES "^(#.*)?$")
      continue()
    endif()
    if(NOT line MATCHES "^([a-z][a-z0-9.-]*) = (.+)$")
      message(FATAL_ERROR "${language}.txt: not `key = text`: ${line}")
    endif()
    set(key "${CMAKE_MATCH_1}")
    string(REPLACE "\"" "\\\"" text "${CMAKE_MATCH_2}")
    if(key STREQUAL "plural-rule")
      constant(rule "${text}")
      continue()
    endif()
    set(form other)
    if(key MATCHES "^(.+)\\.(zero|one|two|few|many|other)$")
      set(key "${CMAKE_MATCH_1}")
      set(form "${CMAKE_MATCH_2}")
    endif()
    if("${key}.${form}" IN_LIST forms)
      message(FATAL_ERROR "${language}.txt: ${key} (${form}) stands twice")
    endif()
    list(APPEND forms "${key}.${form}")
    list(APPEND own ${key})
    constant(word "${key}")
    constant(form "${form}")
    string(APPEND rows "        [WORD_${word}][PLURAL_${form}] = \"${text}\",\n")
  endwhile()
  list(REMOVE_DUPLICATES own)
  if(language STREQUAL en)
    set(keys ${own})
    set(keys ${own} PARENT_SCOPE)
  endif()
  foreach(key IN LISTS keys)
    if(NOT key IN_LIST own)
      message(FATAL_ERROR "${language}.txt lacks ${key}")
    endif()
  endforeach()
  foreach(key IN LISTS own)
    if(NOT key IN_LIST keys)
      message(FATAL_ERROR "${language}.txt has ${key}, which en.txt lacks")
    endif()
  endforeach()
  string(REPLACE "-" "_" id "${language}")
  set(tables "${tables}static const struct words words_${id} = {
    .tag = \"${language}\",
    .rule = PLURAL_RULE_${rule},
    .texts = {
${rows}    },
};\n\n" PARENT_SCOPE)
  set(list "${list}    &words_${id},\n" PARENT_SCOPE)
endfunction()

list(SORT FILES)
foreach(file IN LISTS FILES)
  if(file MATCHES "/en\\.txt$")
    list(REMOVE_ITEM FILES ${file})
    list(PREPEND FILES ${file})
  endif()
endforeach()
foreach(file IN LISTS FILES)
  take_file(${file})
endforeach()

set(enum "")
set(names "")
foreach(key IN LISTS keys)
  constant(word "${key}")
  string(APPEND enum "    WORD_${word},\n")
  string(APPEND names "    [WORD_${word}] = \"${key}\",\n")
endforeach()
file(WRITE ${OUT}/words_list.h "/* Made of daemon/web/languages/en.txt. */
#ifndef TALLYD_WORDS_LIST_H
#define TALLYD_WORDS_LIST_H\n
enum word {
${enum}    WORDS_COUNT
};\n
#endif\n")
list(LENGTH FILES count)
file(WRITE ${OUT}/words_list.c "/* Made of daemon/web/languages. */
#include \"web/words.h\"\n
${tables}const struct words *const words_all[] = {
${list}};
const size_t words_all_count = ${count};
const char *const word_keys[WORDS_COUNT] = {
${names}};\n")
