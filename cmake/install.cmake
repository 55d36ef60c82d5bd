# cmake --install: the program, librune.a, the public headers, and find_package(rune) with the target rune::rune.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/rune)
install(TARGETS rune_program)
install(TARGETS rune EXPORT rune-targets)
install(DIRECTORY include/rune DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT rune-targets NAMESPACE rune:: DESTINATION ${package_dir})

configure_package_config_file(cmake/rune-config.cmake.in rune-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(rune-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rune-config.cmake ${PROJECT_BINARY_DIR}/rune-config-version.cmake
        DESTINATION ${package_dir})
