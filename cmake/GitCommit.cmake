# whorl_git_commit(OUTPUT_VARIABLE): sets the variable to a C++ file that defines whorl::kCommit, the commit that is being built
# ("-dirty" with local changes, "unknown" outside git). Looked up at every build; rewritten only when it changed.

function(whorl_git_commit result)
  set(generated ${PROJECT_BINARY_DIR}/generated/commit.cpp)
  add_custom_target(whorl_commit BYPRODUCTS ${generated}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUTPUT=${generated} -P ${PROJECT_SOURCE_DIR}/cmake/GitCommitScript.cmake
    COMMENT "" VERBATIM)
  set(${result} ${generated} PARENT_SCOPE)
endfunction()
