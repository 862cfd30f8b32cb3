#include <nlohmann/json.hpp>
#include <unordered_set>

#include "core/base/error.hpp"
#include "core/base/lfs_pointer.hpp"
#include "core/base/text.hpp"
#include "core/config/value.hpp"

namespace whorl {
namespace {

// Builds the tree from the parser's events; the parser itself keeps no tree and does not recurse.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit TreeBuilder(const std::string& source) : source_(source) {}

    Value take() { return std::move(root_); }

    bool null() override { return add({}); }
    bool boolean(bool value) override { return add({value}); }
    bool number_integer(number_integer_t value) override { return add({std::int64_t{value}}); }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > static_cast<number_unsigned_t>(INT64_MAX)) return add({static_cast<double>(value)});
        return add({static_cast<std::int64_t>(value)});
    }
    bool number_float(number_float_t value, const string_t&) override { return add({value}); }
    bool string(string_t& value) override { return add({std::move(value)}); }
    bool binary(binary_t&) override { return false; }  // only in binary formats

    bool start_object(std::size_t) override {
        keys_.emplace_back();
        return open({Table{}});
    }
    bool start_array(std::size_t) override { return open({Array{}}); }
    bool end_object() override {
        keys_.pop_back();
        return close();
    }
    bool end_array() override { return close(); }
    bool key(string_t& key) override {
        if (!keys_.back().insert(key).second) fail("duplicate key " + in_quotes(key));
        last_key_ = key;
        key_ = std::move(key);
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
        const std::string at = last_key_.empty() ? "" : ", near key " + in_quotes(last_key_);
        fail("not valid JSON at byte " + std::to_string(position) + at);
    }

private:
    [[noreturn]] void fail(const std::string& what) const { throw UserError(one_line(source_ + ": " + what)); }

    Value& place(Value value) {
        if (open_.empty()) return root_ = std::move(value);
        if (auto* array = std::get_if<Array>(&open_.back()->data)) return array->emplace_back(std::move(value));
        return std::get<Table>(open_.back()->data).emplace_back(Member{std::move(key_), std::move(value)}).value;
    }
    bool add(Value value) {
        place(std::move(value));
        return true;
    }
    // Pointers to open values stay valid: a container gets no new element while one of its elements is open.
    bool open(Value value) {
        if (open_.size() >= kMaxNesting) fail("nested deeper than " + std::to_string(kMaxNesting) + " levels");
        open_.push_back(&place(std::move(value)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    const std::string& source_;
    Value root_;
    std::vector<Value*> open_;
    std::vector<std::unordered_set<std::string>> keys_;  // of each open object
    std::string key_;                                    // of the member that comes next
    std::string last_key_;                               // the same, for messages
};

}  // namespace

Document parse_json(std::string_view text, const std::string& source) {
    refuse_lfs_pointer(text.substr(0, kLfsPointerBytes), source);
    // The parser takes a zero byte for the end of its input and would not see what follows.
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
        throw UserError(one_line(source + ": not valid JSON at byte " + std::to_string(zero)));
    TreeBuilder builder(source);
    nlohmann::json::sax_parse(text, &builder);
    Document document{builder.take(), source};
    if (!std::holds_alternative<Table>(document.root.data))
        throw UserError(one_line(source + ": expected a JSON object, found " + kind_name(document.root)));
    return document;
}

}  // namespace whorl
