// What can be asked right now: the tokens that turn what has been read so far into a question, and its answer.
//
// A prefix is what a model has read of an example, with the token that begins it where the task has `bos`. The question
// appends to it what the task would: nothing where every prefix is asked about (parity, modular_sum, cycle_navigation,
// even_pairs, group_word), = in modular_arithmetic, the brackets that are still open and then = with brackets, QUERY k
// for a needle, k in mqar (a blank before it where a query cannot stand), the special token in induction, read in
// flip_flop. With supervise = all, values are asked for without =, as in training.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tasks/registry.hpp"

namespace whorl {

struct Question {
    std::vector<std::int32_t> append;  // to be read before the answer is; may be empty
    /// At least one token. The i-th is what the model should say once it has read the prefix, `append` and the i
    /// tokens of the answer before it.
    std::vector<std::int32_t> answer;
};

/// Which question, where several are possible.
struct Asking {
    /// A key of needle or mqar, as a token. Absent: the one that the prefix has begun to ask for, else the first one.
    std::optional<std::int32_t> key{};
};

/// Whether anything of the task can be asked before its end: not in language (markov, text), where the next token is
/// foretold everywhere, nor in selective_copy.
bool has_questions(const Task& task);

/// Empty where nothing can be asked: a task without questions, nothing read yet, an operator or half a needle last, no
/// needle of the key (or more than the task gives a key), and where the prefix is no text of the task. A prefix that
/// has begun to ask is only finished: behind QUERY k v the rest of the answer is asked for, whatever `asking` says.
std::optional<Question> question(const Task& task, const std::vector<std::int32_t>& prefix, const Asking& asking = {});

/// The key that `tokens` asks for first, behind its first QUERY; empty where it asks for none, and in other tasks.
std::optional<std::int32_t> asked_key(const Task& task, const std::vector<std::int32_t>& tokens);

/// The same tokens with one of them changed, such that the answer is another one: what a state of the original is
/// compared with, or patched by. It is the first token of its kind that the answer depends on, and changes to the next
/// of its kind: a bit flips, a digit d becomes d+1 modulo m, a step stays, goes ahead, goes back in turn, an element
/// becomes the one after it, and of the key asked for the first value token becomes the next one. Operators, brackets,
/// keys and filler stay; so do, in flip_flop, instructions. Empty where there is no question, or its answer depends on
/// no such token (2*0, a lone symbol in even_pairs).
std::optional<std::vector<std::int32_t>> twin(const Task& task, const std::vector<std::int32_t>& tokens,
                                              const Asking& asking = {});

}  // namespace whorl
