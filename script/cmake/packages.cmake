# `cpack -G DEB` in the build directory: the packages tallyd and tally, the same bytes each time.
# SOURCE_DATE_EPOCH dates them; without it, the last commit does. Build with
#   cmake -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "the tallyd authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "vote counting for sites, with live tallies")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL daemon client)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/script/cmake/packages_files.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "the tallyd authors <tallyd@localhost>" CACHE
  STRING "Whom the packages name: who makes them puts a name and an address here")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(control ${PROJECT_SOURCE_DIR}/script/debian/tallyd)
set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME tallyd)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SECTION net)
set(CPACK_COMPONENT_DAEMON_DESCRIPTION "Takes votes in polls and ratings over HTTP, keeps them in a SQLite ledger,
and answers with live tallies, pages and charts. A vote that was answered is
on disk, counted exactly once, and tied to no name. This is the daemon.")
# procps: the unit's ExecReload= is /bin/kill.
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers, procps, debconf (>= 0.5) | debconf-2.0")
set(CPACK_DEBIAN_DAEMON_PACKAGE_RECOMMENDS "tally")
set(CPACK_DEBIAN_DAEMON_PACKAGE_SUGGESTS "libpq5") # loaded for a PostgreSQL store only
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA ${control}/config ${control}/postinst ${control}/prerm
  ${control}/postrm ${control}/templates ${control}/conffiles)
set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME tally)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SECTION net)
set(CPACK_COMPONENT_CLIENT_DESCRIPTION "Submits votes, reads tallies, administers the daemon tallyd, and takes polls
over from older systems, from the
command line.")
set(CPACK_DEBIAN_CLIENT_PACKAGE_SUGGESTS "tallyd")

set(CPACK_RESOURCE_SOURCE_DIR ${PROJECT_SOURCE_DIR}) # for packages_files.cmake
include(CPack)
