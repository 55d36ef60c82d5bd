# cmake -D NPM=... -D WEB=... -D FOLDER=... -D OUTPUT=... -D LEFT_OUT=... -D REQUIRED=... -P build_page.cmake:
# the page of the folder WEB, built in FOLDER, as the source file OUTPUT. Where npm cannot build it and it is not
# required, OUTPUT is LEFT_OUT, the source file of a program without the page.
function(run_npm)
  execute_process(COMMAND ${NPM} ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result EQUAL 0)
    return()
  endif()
  string(JOIN " " command npm ${ARGV})
  if(REQUIRED)
    message(FATAL_ERROR "${command} failed:\n${output}")
  endif()
  message("The page of `rune serve` is left out: ${command} failed.\n${output}\n"
          "Without a network that is all right; cmake -DRUNE_WEB=ON insists on the page, -DRUNE_WEB=OFF forgoes it.")
  set(failed TRUE PARENT_SCOPE)
endfunction()

set(failed FALSE)
if(${WEB}/package-lock.json IS_NEWER_THAN ${WEB}/node_modules/.package-lock.json) # npm writes it last
  run_npm(ci --prefix ${WEB} --ignore-scripts --no-audit --no-fund)
endif()
if(NOT failed)
  run_npm(run build --prefix ${WEB} -- --outDir ${FOLDER} --emptyOutDir)
endif()
if(failed)
  file(COPY_FILE ${LEFT_OUT} ${OUTPUT})
else()
  include(${CMAKE_CURRENT_LIST_DIR}/embed_page.cmake)
endif()
