# Turns the files of a folder into `const struct embedded { name, bytes, len, hash }`, so that nothing
# has to be found at run time. Edited as what they are; nothing generated is in git.
#
#   embed(ledger sql/sqlite)   →  #include "sql_sqlite.h", embedded_sql_sqlite[], …_count
#   embed(web daemon/web/assets JOINED widget.js daemon/web/script)   and one made of those there
function(embed room folder)
  cmake_parse_arguments(ARG "" "" "JOINED" ${ARGN})
  set(pieces "")
  set(joined "")
  if(ARG_JOINED)
    list(POP_FRONT ARG_JOINED joined pieces)
    file(GLOB pieces CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${pieces}/*)
  endif()
  string(MAKE_C_IDENTIFIER ${folder} id)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*)
  set(out ${PROJECT_BINARY_DIR}/embedded/${room})
  add_custom_command(OUTPUT ${out}/${id}.c ${out}/${id}.h
    COMMAND ${CMAKE_COMMAND} -DID=${id} -DOUT=${out} "-DFILES=${files}" "-DPIECES=${pieces}"
      -DJOINED=${joined}
      -P ${PROJECT_SOURCE_DIR}/script/cmake/embed_files.cmake
    DEPENDS ${files} ${pieces} ${PROJECT_SOURCE_DIR}/script/cmake/embed_files.cmake VERBATIM)
  target_sources(${room} PRIVATE ${out}/${id}.c ${out}/${id}.h)
  target_include_directories(${room} PRIVATE ${out})
endfunction()
