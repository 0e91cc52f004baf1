# tallyd-png.so: what draws PNG, with all that cairo and Pango bring along, loaded when the first one
# is asked for (daemon/web/png.c). It lies beside the program in the build tree, and is installed to
# LIBDIR/tallyd. What it shares with the daemon it holds a copy of, made for a shared library.
add_library(png_module MODULE daemon/web/png/cairo.c daemon/web/drawing.c daemon/web/letters.c
  daemon/base/buf.c daemon/base/str.c
  daemon/base/utf8.c)
set_target_properties(png_module PROPERTIES PREFIX "" OUTPUT_NAME tallyd-png
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_include_directories(png_module PRIVATE $<TARGET_PROPERTY:web,INTERFACE_INCLUDE_DIRECTORIES>
  $<TARGET_PROPERTY:base,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_options(png_module PRIVATE $<TARGET_PROPERTY:habits,INTERFACE_COMPILE_OPTIONS>
  -fPIC -fvisibility=hidden)
target_compile_definitions(png_module PRIVATE
  $<TARGET_PROPERTY:habits,INTERFACE_COMPILE_DEFINITIONS>)
target_compile_features(png_module PRIVATE c_std_11)
target_link_options(png_module PRIVATE -Wl,-z,relro,-z,now,-z,noexecstack)
if(TALLYD_SANITIZE)
  target_link_options(png_module PRIVATE -fsanitize=${TALLYD_SANITIZE})
else()
  target_link_options(png_module PRIVATE -Wl,-z,defs) # the daemon offers it nothing
endif()
target_link_libraries(png_module PRIVATE PkgConfig::cairo Threads::Threads m)
