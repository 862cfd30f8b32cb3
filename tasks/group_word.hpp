// Group word problem: the running product of a group's elements. Abelian groups, solvable ones (S3, S4, A4) and those
// that are neither (A5, S5) ask for ever more of a state.
//
// Tokens: 0 PAD, 1+e the element e of 0 … |G|-1 (group.hpp numbers and composes them), 1+|G| the beginning of the
// sequence. An example of size s is that beginning (bos = false: without it) and s-1 uniform elements; the answer at
// each of them is the product so far, acc ← acc∘x from the identity on: as permutations, the newest element acts first
// (supervise = last: at the last one only).
#pragma once

#include "tasks/group.hpp"
#include "tasks/stream.hpp"

namespace whorl {

struct GroupWord : StreamOptions {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kElement = 1;

    FiniteGroup group{{{GroupKind::alternating, 5}}, 1};

    constexpr GroupWord() : StreamOptions{3, Supervise::all, true} {}
    std::int64_t vocabulary() const { return kElement + group.order() + (bos ? 1 : 0); }
    double chance() const { return 1.0 / group.order(); }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const GroupWord&) {
    return "group_word";
}

template <class V>
void describe(V& v, GroupWord& c) {
    std::string name = group_name(c.group);
    v.field("group", name);
    const auto group = parse_group(name);
    v.require(group.has_value(), "group", group_names());
    if (group && !(*group == c.group)) c.group = *group;  // a writer's task is not to be touched
    describe_stream(v, c, 2);
}

struct GroupTrack {
    const FiniteGroup& group;
    std::int32_t product = 0;
    WHORL_HD constexpr std::int32_t read(std::int32_t element) {
        return GroupWord::kElement + (product = group.compose(product, element));
    }
};

WHORL_HD constexpr std::int64_t GroupWord::generate(const SampleKey& key, const SampleView& out) const {
    const std::int32_t order = group.order();
    return generate_stream(key, out, *this, {kElement, order, kElement + order}, GroupTrack{group});
}

}  // namespace whorl
