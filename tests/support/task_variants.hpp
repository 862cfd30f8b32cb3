// Every task, with its default parameters and with others.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tasks/registry.hpp"

namespace tasktest {

using namespace whorl;

struct Variant {
    const char* name;
    std::vector<std::string> set;
    const char* bits;  // of version 1
};

inline const std::vector<Variant>& variants() {
    static const std::vector<Variant> all = {
        {"parity", {}, "becb747da75ea66839bb54163b921aa4"},
        {"modular_sum", {}, "8d40c6353f6daf7641b3f173cf2210c4"},
        {"modular_sum", {"modulus=7", "supervise=all", "bos=true"}, "ac8a4957e51f050962c0cf21cb8392f3"},
        {"modular_arithmetic", {}, "32e02e63441497169af313f421fcd0d7"},
        {"modular_arithmetic", {"mult=false", "supervise=all", "bos=true"}, "96afc2ac921c787da3b096a0536b457c"},
        {"modular_arithmetic_brackets", {}, "e139939d675e3ec417b31adaff43799f"},
        {"modular_arithmetic_brackets", {"mult=true", "supervise=all", "bos=true"}, "385e6f244aa2902a57dcc858dffaae89"},
        {"cycle_navigation", {}, "f058c98c8837ff191fccb1414ebdbeaf"},
        {"cycle_navigation", {"cycle=7", "supervise=all", "bos=true"}, "2873912e7b1cc4b5c3719de5e5927edb"},
        {"even_pairs", {}, "414f23e7a4db4406543ff54e4f72aac2"},
        {"even_pairs", {"supervise=all", "bos=true"}, "6f6f3bd3a4f0bad16537dcd7eb919400"},
        {"group_word", {}, "dcb7d3cc1cc2327dcf1318edb5f88224"},
        {"group_word", {"group=S3xZ4", "supervise=last", "bos=false"}, "c8082c6eb8702ccc3b9729de616e03bd"},
        {"needle", {}, "b0545124623e5bd7f341a802accfbdf6"},
        {"needle", {"haystack=repeat", "value_tokens=7", "depth=0.5"}, "dd1fe11e8dbefdb579af614006ec4673"},
        {"needle",
         {"haystack=needles", "keys=3", "values=2", "queries=2", "value_tokens=2"},
         "8bee6f17af1d69cd65852494a5ae41da"},
        {"mqar", {}, "57ce7ee649c7e8f1b49cce13143fbacb"},
        {"mqar",
         {"symbols=64", "filler=uniform", "slices=[[16, 2], [40, 4], [64, 16]]"},
         "6d98bba3ac674d6572ba8edce3631c33"},
        {"induction", {}, "c2170930d8192cc5c326e64811db10a7"},
        {"induction", {"symbols=5", "min_size=12"}, "081308037e428fa4111027ebbaad04ec"},
        {"markov", {}, "85381089b6c725c1baaa238bff2bbec0"},
        {"markov", {"distances=5", "copy_length=7", "copy_every=3"}, "83a57c325b073d95dca901e472d10e98"},
        {"text", {}, "dfa40df74254b8b00267c6f06e598297"},
        {"selective_copy", {}, "0ea8b95f38dde7413b9066fefbf46f8b"},
        {"selective_copy", {"symbols=5", "data=3", "min_size=7"}, "7a2fb084a1afc3fb0265510f79a98d31"},
        {"flip_flop", {}, "54f5f3278f98e9585dba1f29e55cb37d"},
        {"flip_flop", {"ignore=0.1", "min_size=9"}, "6a991cdfd5916440e47e23a5c4228369"},
    };
    return all;
}

inline std::unique_ptr<DataSource> source_of(const Variant& variant) {
    return make_data_source(find_task(variant.name, variant.set));
}

}  // namespace tasktest
