# rune_layer(<name> [USES <layer>...] [LIBRARIES <target>...] [EXCLUDE <regex>])
#
# The folder's sources as the object library rune_<name>, which may include the headers of the layers it uses, of
# those below them and of its own LIBRARIES. EXCLUDE leaves out sources by path. librune.a bundles the objects of all
# layers.
function(rune_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "" "EXCLUDE" "USES;LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  if(layer_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${layer_EXCLUDE}")
  endif()
  add_library(rune_${name} OBJECT ${sources})
  target_include_directories(rune_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  list(TRANSFORM layer_USES PREPEND rune_)
  target_link_libraries(rune_${name} PUBLIC ${layer_USES} fmt::fmt Threads::Threads
                        PRIVATE ${layer_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY RUNE_OBJECTS $<TARGET_OBJECTS:rune_${name}>)
endfunction()
