# Writes a C++ file that holds viz/lessons/*.toml, the lessons and their glossary, as strings, so that the program works
# far from its sources. Usage: whorl_embed_lessons(OUTPUT_VARIABLE) sets the variable to the file's path; it is made anew
# when a lesson changes. The order is the one in which they are taught.

function(whorl_embed_lessons result)
  set(lessons "")
  foreach(name a-number-that-remembers a-number-that-turns turn-slide-flip counting-to-five two-frames half-a-turn
          how-wrong-is-a-step who-turns-by-half two-taps watch-it-learn what-is-still-held)
    list(APPEND lessons ${PROJECT_SOURCE_DIR}/viz/lessons/${name}.toml)
  endforeach()
  set(glossary ${PROJECT_SOURCE_DIR}/viz/lessons/glossary.toml)
  set(generated ${PROJECT_BINARY_DIR}/generated/lesson_files.cpp)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} "-DLESSONS=${lessons}" -DGLOSSARY=${glossary} -DOUTPUT=${generated} -P ${PROJECT_SOURCE_DIR}/cmake/EmbedLessonsScript.cmake
    DEPENDS ${lessons} ${glossary} ${PROJECT_SOURCE_DIR}/cmake/EmbedLessonsScript.cmake
    COMMENT "Embedding the lessons" VERBATIM)
  set(${result} ${generated} PARENT_SCOPE)
endfunction()
