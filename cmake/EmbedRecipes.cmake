# Writes a C++ file that holds experiments/recipes/*.toml as strings, so that the program works far from its sources.
# Usage: whorl_embed_recipes(OUTPUT_VARIABLE) sets the variable to the file's path; it is made anew when a recipe changes.

function(whorl_embed_recipes result)
  file(GLOB recipes CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/experiments/recipes/*.toml)
  set(generated ${PROJECT_BINARY_DIR}/generated/built_in_recipes.cpp)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} "-DRECIPES=${recipes}" -DOUTPUT=${generated} -P ${PROJECT_SOURCE_DIR}/cmake/EmbedRecipesScript.cmake
    DEPENDS ${recipes} ${PROJECT_SOURCE_DIR}/cmake/EmbedRecipesScript.cmake
    COMMENT "Embedding the recipes" VERBATIM)
  set(${result} ${generated} PARENT_SCOPE)
endfunction()
