// Version 3 of Catch2 brings its own main; version 2 makes it here.
#ifdef WHORL_CATCH2_V2
#define CATCH_CONFIG_MAIN
#endif
#include "tests/support/catch.hpp"
