// Reads texts of the needle task token by token: which needles were in it, and how far a question has come.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tasks/needle.hpp"
#include "tasks/question.hpp"

namespace whorl {

class NeedleReader {
public:
    explicit NeedleReader(const Needle& task) : task_(task) {}

    /// False: no text goes on with this token.
    bool read(std::int32_t token) {
        if (in_needle()) return read_needle(token);
        if (in_query()) return read_query(token);
        if (token == Needle::kQuery) return asking_ = true;
        if (asked_) return false;  // only questions follow a question
        if (token == Needle::kKey) return started_ = true;
        return token >= task_.first_filler() && token < task_.vocabulary();
    }

    /// The question that `key`, or else the first needle's, makes of what was read.
    std::optional<Question> ask(const Asking& asking) const {
        if (in_needle()) return std::nullopt;
        if (in_query() && answered_ >= 0) return answer_of(*asked_, {}, answered_);
        const auto key = asking.key ? asking.key : first_;
        if (!key) return std::nullopt;
        if (in_query()) return answer_of(*key, {*key}, 0);
        return answer_of(*key, {Needle::kQuery, *key}, 0);
    }

private:
    bool in_needle() const { return started_; }
    bool in_query() const { return asking_; }
    bool is_key(std::int32_t token) const { return token >= Needle::kFirstKey && token < task_.first_value(); }
    bool is_value(std::int32_t token) const { return token >= task_.first_value() && token < task_.first_filler(); }

    bool read_needle(std::int32_t token) {
        if (!key_) {
            key_ = token;
            return is_key(token);
        }
        value_.push_back(token);
        if (value_.size() == static_cast<std::size_t>(task_.value_tokens)) close_needle();
        return is_value(token);
    }
    void close_needle() {
        if (!first_) first_ = key_;
        std::vector<std::int32_t>& values = values_[*key_];
        values.insert(values.end(), value_.begin(), value_.end());
        key_.reset(), value_.clear(), started_ = false;
    }
    bool read_query(std::int32_t token) {
        if (answered_ < 0) {
            asked_ = token, answered_ = 0;
            return values_.count(token) > 0;
        }
        if (static_cast<std::size_t>(++answered_) == values_.at(*asked_).size()) asking_ = false, answered_ = -1;
        return is_value(token);
    }
    std::optional<Question> answer_of(std::int32_t key, std::vector<std::int32_t> append, std::int64_t answered) const {
        const auto found = values_.find(key);
        const auto most = static_cast<std::size_t>(task_.values * std::int64_t{task_.value_tokens});
        if (found == values_.end() || found->second.size() > most) return std::nullopt;
        return Question{std::move(append),
                        std::vector<std::int32_t>(found->second.begin() + answered, found->second.end())};
    }

    const Needle& task_;
    bool started_ = false;                                      // KEY is read, its needle not to its end
    std::optional<std::int32_t> key_{}, first_{};               // of that needle; of the first one
    std::vector<std::int32_t> value_;                           // of that needle, so far
    std::map<std::int32_t, std::vector<std::int32_t>> values_;  // of each key: all its values, one after the other
    bool asking_ = false;                                       // QUERY is read, its answer not to its end
    std::optional<std::int32_t> asked_{};                       // the last key asked for
    std::int64_t answered_ = -1;  // tokens of its answer that are read; -1: its key is not
};

}  // namespace whorl
