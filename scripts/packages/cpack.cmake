# Packages of a build, which `cpack` makes in its folder: two for Debian, the program and what programs are built
# with, and an archive of both that runs from wherever it is unpacked. scripts/package makes and tries them.
set(here ${PROJECT_SOURCE_DIR}/scripts/packages)
set(made ${PROJECT_BINARY_DIR}/packages)

set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGE_NAME lprnet)
set(CPACK_PACKAGE_VENDOR "lprnet.cpp")
# Whoever hands packages on names themselves; this one does not exist.
set(LPRNET_PACKAGE_CONTACT "The authors of lprnet.cpp <authors@lprnet.example.org>" CACHE STRING
    "Name and mail address in the packages for Debian")
mark_as_advanced(LPRNET_PACKAGE_CONTACT)
set(CPACK_PACKAGE_CONTACT "${LPRNET_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "reading of license plates of the Chinese mainland")
set(CPACK_PACKAGE_FILE_NAME lprnet-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

# One archive of all; a package for each component, in which the license is where Debian wants it.
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
endif()
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME lprnet)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION
"LPRNet turns pictures that show one plate each into text. This is the
program. Its weights are inside of it, and it needs no machine learning
runtime.")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
"LPRNet turns pictures that show one plate each into text. This is what
programs are built with: headers for C++20 and C99, and the library with
its weights.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME liblprnet-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libc6-dev, libstdc++-12-dev | libstdc++-dev")
# Of other libraries it has what it needs inside. Where it is cross-built nothing can tell the version of this one.
find_program(LPRNET_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(LPRNET_SHLIBDEPS)
if(LPRNET_SHLIBDEPS AND NOT CMAKE_CROSSCOMPILING)
  set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
else()
  set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "libc6 (>= 2.35)")
endif()

# Debian wants a copyright, two changelogs and a manual page in their places, compressed without a date. They are
# for its packages alone.
configure_file(${here}/changelog ${made}/changelog.Debian @ONLY)
find_program(LPRNET_GZIP gzip)
mark_as_advanced(LPRNET_GZIP)
if(LPRNET_GZIP)
  foreach(pair "${PROJECT_SOURCE_DIR}/CHANGELOG.md|changelog.gz" "${made}/changelog.Debian|changelog.Debian.gz"
               "${here}/lprnet.1|lprnet.1.gz")
    string(REPLACE "|" ";" pair ${pair})
    list(GET pair 0 file)
    list(GET pair 1 compressed)
    execute_process(COMMAND ${LPRNET_GZIP} -9nc ${file} OUTPUT_FILE ${made}/${compressed})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  endforeach()
  foreach(pair "lprnet runtime" "liblprnet-dev development")
    string(REPLACE " " ";" pair ${pair})
    list(GET pair 0 package)
    list(GET pair 1 component)
    install(FILES ${here}/copyright ${made}/changelog.gz ${made}/changelog.Debian.gz
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  endforeach()
  install(FILES ${made}/lprnet.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime EXCLUDE_FROM_ALL)
endif()

include(CPack)
