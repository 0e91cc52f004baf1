# Turns daemon/web/languages/*.txt into the tables behind web/words.h: no parsing and no failure at
# run time. A key that a language lacks, or has beyond English, is an error of the build.
function(languages room folder)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.txt)
  set(out ${PROJECT_BINARY_DIR}/embedded/${room})
  add_custom_command(OUTPUT ${out}/words_list.c ${out}/words_list.h
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} "-DFILES=${files}"
      -P ${PROJECT_SOURCE_DIR}/script/cmake/languages_files.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/script/cmake/languages_files.cmake VERBATIM)
  target_sources(${room} PRIVATE ${out}/words_list.c ${out}/words_list.h)
  target_include_directories(${room} PUBLIC ${out})
endfunction()
