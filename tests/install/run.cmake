# Installs the build in BUILD_DIR to an empty prefix, runs the installed program, then configures, builds and runs the
# consumer beside this file and the program in README.md against it.
set(work ${BUILD_DIR}/tests/install_test)
file(REMOVE_RECURSE ${work})

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(MAKE_DIRECTORY ${work})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${work}/prefix)
run(${work}/prefix/bin/rune --version)

# The program that the README shows, and a text for it.
file(READ ${CMAKE_CURRENT_LIST_DIR}/../../README.md readme)
if(NOT readme MATCHES "```cpp\n(.*[^`])```")
  message(FATAL_ERROR "README.md shows no program")
endif()
file(WRITE ${work}/readme.cpp "${CMAKE_MATCH_1}")
string(REPEAT "Once upon a time there was a sea, and by the sea a town.\n" 400 book)
file(WRITE ${work}/book.txt "${book}")

run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${work}/build -G Ninja -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_CXX_COMPILER=${CXX_COMPILER} -D CMAKE_PREFIX_PATH=${work}/prefix -D RUNE_EXPECTED_VERSION=${VERSION}
    -D README_PROGRAM=${work}/readme.cpp)
run(${CMAKE_COMMAND} --build ${work}/build)
run(${work}/build/consumer)
run(${work}/build/readme)
