# cmake -D FOLDER=... -D OUTPUT=... -P embed_page.cmake: the files of a folder as rune::server::page_files().
set(types
    html "text/html\\; charset=utf-8" js "text/javascript\\; charset=utf-8" css "text/css\\; charset=utf-8"
    svg image/svg+xml png image/png ico image/x-icon json application/json woff2 font/woff2
    txt "text/plain\\; charset=utf-8")
file(GLOB_RECURSE files LIST_DIRECTORIES OFF RELATIVE ${FOLDER} ${FOLDER}/*)
set(arrays "")
set(entries "")
set(number 0)
foreach(name IN LISTS files)
  string(REGEX REPLACE "^.*\\." "" suffix ${name})
  list(FIND types ${suffix} at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${name}: a file of the page with an unknown suffix; name its type in cmake/embed_page.cmake")
  endif()
  math(EXPR at "${at} + 1")
  list(GET types ${at} type)
  file(READ ${FOLDER}/${name} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND arrays "constexpr char kFile${number}[] = {${bytes}'\\0'};\n")
  set(path /${name})
  if(name STREQUAL "index.html")
    set(path /)
  endif()
  string(APPEND entries "    {\"${path}\", \"${type}\", {kFile${number}, ${size}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
if(number EQUAL 0)
  message(FATAL_ERROR "${FOLDER} holds no page")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT
[[#include "server/page.h"

namespace rune::server {
namespace {

@arrays@
constexpr PageFile kFiles[] = {
@entries@};

}  // namespace

std::span<const PageFile> page_files() { return kFiles; }

}  // namespace rune::server
]])
