# Run by the build: cmake -DSOURCE=folder -DOUTPUT=file.cpp -P GitCommitScript.cmake
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  set(commit unknown)
endif()
set(code "// Made by cmake/GitCommitScript.cmake.\nnamespace whorl {\nextern const char* const kCommit = \"${commit}\";\n}\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT "${before}" STREQUAL "${code}")
  file(WRITE ${OUTPUT} "${code}")
endif()
