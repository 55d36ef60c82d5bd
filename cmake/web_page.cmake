# add_web_page(<target>): the page of web/, built by npm and embedded in the target; or, as RUNE_WEB says, no page.
set(RUNE_WEB AUTO CACHE STRING "The page of `rune serve`: ON, OFF, or AUTO (where npm is installed)")

function(add_web_page target)
  set(web ${PROJECT_SOURCE_DIR}/web)
  set(missing "")
  find_program(NODE node)
  find_program(NPM npm)
  if(NOT NODE OR NOT NPM)
    set(missing "Node.js with npm is not installed; scripts/install-deps installs it")
  else()
    execute_process(COMMAND ${NODE} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REPLACE v "" version "${version}")
    if(version VERSION_LESS 18)
      set(missing "it needs Node.js 18, and ${NODE} is ${version}")
    endif()
  endif()
  if(RUNE_WEB STREQUAL "ON" AND missing)
    message(FATAL_ERROR "RUNE_WEB=ON asks for the page, but ${missing}")
  endif()
  if(NOT RUNE_WEB)
    set(missing "RUNE_WEB is OFF")
  endif()
  if(missing)
    message(STATUS "The page of `rune serve` is left out: ${missing}")
    target_sources(${target} PRIVATE page_left_out.cpp)
    return()
  endif()

  set(built ${CMAKE_CURRENT_BINARY_DIR}/page)
  set(embedded ${CMAKE_CURRENT_BINARY_DIR}/page_files.cpp)
  string(COMPARE EQUAL "${RUNE_WEB}" "ON" required)
  file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${web}/src/* ${web}/public/*)
  add_custom_command(
    OUTPUT ${embedded}
    COMMAND ${CMAKE_COMMAND} -D NPM=${NPM} -D WEB=${web} -D FOLDER=${built} -D OUTPUT=${embedded}
            -D LEFT_OUT=${CMAKE_CURRENT_SOURCE_DIR}/page_left_out.cpp -D REQUIRED=${required}
            -P ${PROJECT_SOURCE_DIR}/cmake/build_page.cmake
    DEPENDS ${web_sources} ${web}/package.json ${web}/package-lock.json ${web}/tsconfig.json ${web}/vite.config.js
            ${web}/index.html page_left_out.cpp ${PROJECT_SOURCE_DIR}/cmake/build_page.cmake
            ${PROJECT_SOURCE_DIR}/cmake/embed_page.cmake
    COMMENT "Building the page" VERBATIM)
  target_sources(${target} PRIVATE ${embedded})
endfunction()
