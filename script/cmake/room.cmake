# A room is a target, and what it may include is what it uses: its headers stand behind a door (a
# symlink in the build tree) that only its users see. A forbidden include does not compile.
#
#   room(core USES base LIBRARIES PkgConfig::cjson)
function(room name)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
  set(door ${PROJECT_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${door})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/daemon/${name} ${door}/${name} SYMBOLIC)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/daemon/${name}/*.c)
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${door})
  target_link_libraries(${name} PUBLIC ${ARG_USES} ${ARG_LIBRARIES} PRIVATE habits)
endfunction()

# A program of the files that lie directly in a folder. PARTS names a library of all of them but
# main.c, so that unit tests can link them as they do a room.
#
#   room_program(tally client PARTS client USES base LIBRARIES PkgConfig::curl)
function(room_program name folder)
  cmake_parse_arguments(ARG "" "PARTS" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
  if(ARG_PARTS)
    list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${folder}/main.c)
    add_library(${ARG_PARTS} STATIC ${sources})
    target_include_directories(${ARG_PARTS} PUBLIC ${PROJECT_SOURCE_DIR}/${folder})
    target_link_libraries(${ARG_PARTS} PUBLIC ${ARG_USES} ${ARG_LIBRARIES} PRIVATE habits)
    list(PREPEND ARG_USES ${ARG_PARTS})
    set(sources ${PROJECT_SOURCE_DIR}/${folder}/main.c)
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/${folder})
  target_link_libraries(${name} PRIVATE ${ARG_USES} ${ARG_LIBRARIES} habits)
endfunction()
