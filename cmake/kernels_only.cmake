# With RUNE_KERNELS_ONLY: base, kernels and their tests, which need no library that is built for the processor but the
# standard one. So a cross compiler and an emulator are enough to try them on another processor.
add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)

set(googletest /usr/src/googletest/googletest) # Debian's googletest, the sources of libgtest-dev
add_library(rune_googletest STATIC ${googletest}/src/gtest-all.cc ${googletest}/src/gtest_main.cc)
target_include_directories(rune_googletest SYSTEM PUBLIC ${googletest}/include PRIVATE ${googletest})
target_compile_options(rune_googletest PRIVATE -w)
target_link_libraries(rune_googletest PUBLIC Threads::Threads)
add_library(GTest::gtest ALIAS rune_googletest)
add_library(GTest::gtest_main ALIAS rune_googletest)

add_subdirectory(src/base)
add_subdirectory(src/kernels)
enable_testing()
add_subdirectory(tests)
