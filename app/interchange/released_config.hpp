// What the config readers of released checkpoints share.
//
// A released config is bound to a struct of its own, key by key, by the same describe() mechanism as Whorl's configs:
// an unknown key is an error, unless its value is null. Three kinds of keys have no field: those with one supported
// value, those that may be read but must not be written, and those that do not change what the model computes.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"

namespace whorl::interchange {

template <class V>
inline constexpr bool kReads = std::is_same_v<V, ConfigReader>;

/// At the head of a description: an unknown key that is null is an option that the model does not use.
template <class V>
void pass_over_nulls(V& v) {
    if constexpr (kReads<V>) v.allow_unknown_nulls();
}

/// A key for which null stands for the default, as in the release's own code.
template <class V, class T>
void field_or_null(V& v, const char* key, T& target, const Limits& limits = {}) {
    std::optional<T> given = target;
    v.field(key, given, limits);
    if (given) target = *given;
}

/// A key with one supported value; `why` ends the message for any other. Written as well.
template <class V, class T>
void only(V& v, const char* key, T supported, const char* why) {
    T found = supported;
    v.field(key, found);
    if constexpr (kReads<V>)
        v.require(found == supported, key, "only " + write_json(to_value(supported)) + " is supported: " + why);
}

/// The same for a key that the release does not write.
template <class V, class T>
void only_read(V& v, const char* key, T supported, const char* why) {
    if constexpr (kReads<V>) only(v, key, supported, why);
}

/// A key that must be absent or null.
template <class V>
void absent(V& v, const char* key, const char* why) {
    if constexpr (kReads<V>) {
        Value found;
        v.field(key, found);
        v.require(std::holds_alternative<std::monostate>(found.data), key, std::string("is not supported: ") + why);
    }
}

/// Keys that say how a model was made, stored or run, not what it computes.
template <class V>
void ignore(V& v, std::initializer_list<const char*> keys) {
    if constexpr (kReads<V>)
        for (const char* key : keys) {
            Value ignored;
            v.field(key, ignored);
        }
}

/// The same for what model libraries add to every config, which tells them how to load it and what to return.
template <class V>
void ignore_library_keys(V& v) {
    ignore(v, {"_name_or_path",
               "_commit_hash",
               "_attn_implementation",
               "_attn_implementation_autoset",
               "attn_implementation",
               "architectures",
               "auto_map",
               "torch_dtype",
               "dtype",
               "transformers_version",
               "tokenizer_class",
               "use_cache",
               "bos_token_id",
               "eos_token_id",
               "pad_token_id",
               "gradient_checkpointing",
               "output_attentions",
               "output_hidden_states",
               "return_dict",
               "torchscript",
               "id2label",
               "label2id"});
}

/// "source: key: what", as one line.
[[noreturn]] inline void fail_at_key(const std::string& source, const std::string& key, const std::string& what) {
    throw UserError(one_line(source + ": " + key + ": " + what));
}

}  // namespace whorl::interchange
