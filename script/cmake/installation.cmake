# What `cmake --install` puts where, in GNU directories below the prefix; two components, daemon and
# client, of which packages are made. Only the configuration lies outside: in SYSCONFDIR.
install(TARGETS tallyd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR} COMPONENT daemon)
install(TARGETS tally tally-import RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT client)

if(cairo_FOUND)
  install(TARGETS png_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/tallyd COMPONENT daemon)
endif()

file(GLOB handbook CONFIGURE_DEPENDS docs/*.md)
install(FILES README.md CHANGELOG.md ${handbook}
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT daemon)
install(DIRECTORY docs/examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT daemon)
install(FILES systemd/tallyd-postgresql.conf DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
  COMPONENT daemon)
install(FILES docs/man/tally.1 docs/man/tally-import.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
  COMPONENT client)
install(FILES docs/man/tallyd.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT daemon)
install(FILES docs/man/tallyd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT daemon)
install(FILES ${PROJECT_BINARY_DIR}/completion/tally
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT client)
install(FILES ${PROJECT_BINARY_DIR}/completion/_tally
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT client)

# systemd looks in lib/ below /usr and /usr/local, whatever LIBDIR is.
set(TALLYD_UNIT_DIR lib/systemd/system CACHE STRING "Where systemd's units go")
set(TALLYD_SYSUSERS_DIR lib/sysusers.d CACHE STRING "Where the users of services are listed")
foreach(unit tallyd tallyd-backup tallyd-verify)
  configure_file(systemd/${unit}.service.in ${PROJECT_BINARY_DIR}/systemd/${unit}.service @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/systemd/${unit}.service DESTINATION ${TALLYD_UNIT_DIR}
    COMPONENT daemon)
endforeach()
install(FILES systemd/tallyd-http.socket systemd/tallyd-local.socket systemd/tallyd-backup.timer
  systemd/tallyd-verify.timer DESTINATION ${TALLYD_UNIT_DIR} COMPONENT daemon)
install(FILES systemd/tallyd.sysusers DESTINATION ${TALLYD_SYSUSERS_DIR} RENAME tallyd.conf
  COMPONENT daemon)

# Every line of the example is a comment, so it is the configuration to begin with. One that is there
# stays.
set(conf ${CMAKE_INSTALL_FULL_SYSCONFDIR}/tallyd)
install(CODE "if(NOT EXISTS \"\$ENV{DESTDIR}${conf}/tallyd.conf\")
  file(INSTALL \"${PROJECT_SOURCE_DIR}/docs/examples/tallyd.conf\" DESTINATION \"${conf}\")
endif()" COMPONENT daemon)
