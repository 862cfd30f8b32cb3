#!/usr/bin/env python3
"""Writes the hostile files of this folder, and expected.txt: for each file a fragment of the message it must give.

Each file breaks one rule (the comment beside it, where the name does not say which). Every one must be refused with a
UserError of one line; tests/io/attacks_test.cpp checks that. Run from anywhere: python3 make_attacks.py
"""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
expected = []


def put(name, content, fragment):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    expected.append(f"{name}\t{fragment}\n")


def safetensors(header, data=b"", length=None):
    """A file around `header` (an object, or text, or bytes); `length` overrides the true header length."""
    if isinstance(header, dict):
        header = json.dumps(header, separators=(",", ":"))
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def tensor(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def put_safetensors(name, fragment, *arguments, **named):
    put(f"safetensors/{name}.safetensors", safetensors(*arguments, **named), fragment)


def lengths():
    good = {"a": tensor()}
    put("safetensors/empty.safetensors", b"", "too short")
    put("safetensors/seven_bytes.safetensors", b"\x02\0\0\0\0\0\0", "too short")
    put("safetensors/length_only.safetensors", struct.pack("<Q", 2), "exceeds the file")
    put_safetensors("truncated_header", "exceeds the file", json.dumps(good)[:-20], length=200)
    put_safetensors("length_100mb_plus_1", "exceeds 100 MB", good, bytes(8), length=100_000_001)
    put_safetensors("length_99mb", "exceeds the file", good, bytes(8), length=99_000_000)
    put_safetensors("length_2_63", "exceeds 100 MB", good, bytes(8), length=2**63)
    put_safetensors("length_2_64_minus_1", "exceeds 100 MB", good, bytes(8), length=2**64 - 1)
    put_safetensors("length_2_64_minus_8", "exceeds 100 MB", good, bytes(8), length=2**64 - 8)  # + 8 wraps to 0
    put_safetensors("length_zero", "not valid JSON", "", b"{}")
    put_safetensors("length_one_short", "not valid JSON", good, bytes(8), length=len(json.dumps(good, separators=(",", ":"))) - 1)


def not_the_json_expected():
    put_safetensors("not_json", "not valid JSON", "this is no JSON at all")
    put_safetensors("array", "expected a JSON object", "[]")
    put_safetensors("number", "expected a JSON object", "17")
    put_safetensors("null", "expected a JSON object", "null")
    put_safetensors("string", "expected a JSON object", '"a"')
    put_safetensors("two_objects", "not valid JSON", "{}{}")
    put_safetensors("trailing_comma", "not valid JSON", "{},")
    put_safetensors("comment", "not valid JSON", "{} // here")
    put_safetensors("padded_with_zeros", "not valid JSON", b"{}\0\0\0\0\0\0")
    put_safetensors("byte_order_mark_inside", "not valid JSON", b"{\xef\xbb\xbf}")
    put_safetensors("bad_utf8", "not valid JSON", b'{"\xff\xfe":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    put_safetensors("overlong_utf8", "not valid JSON", b'{"\xc0\xaf":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    put_safetensors("lone_surrogate", "not valid JSON", '{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    put_safetensors("control_character", "not valid JSON", b'{"a\nb":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    put_safetensors("deep_arrays", "expected an object", '{"a":' + "[" * 2000)
    put_safetensors("deep_objects", "unknown key 'a'", '{"a":' * 1000)
    put_safetensors("deep_shape", "shape holds integers", '{"a":{"dtype":"F32","shape":' + "[" * 2000)
    put_safetensors("nan_literal", "not valid JSON", '{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}')


def entries():
    put_safetensors("entry_is_string", "expected an object", {"a": "F32"})
    put_safetensors("entry_is_null", "expected an object", {"a": None})
    put_safetensors("entry_is_empty", "'dtype' is missing", {"a": {}})
    put_safetensors("no_shape", "'shape' is missing", {"a": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8))
    put_safetensors("no_offsets", "'data_offsets' is missing", {"a": {"dtype": "F32", "shape": [2]}}, bytes(8))
    put_safetensors("unknown_key", "unknown key 'strides'", {"a": {**tensor(), "strides": [1]}}, bytes(8))
    put_safetensors("dtype_unknown", "did you mean 'F32'", {"a": tensor("F23")}, bytes(8))
    put_safetensors("dtype_lower_case", "unknown dtype 'f32'", {"a": tensor("f32")}, bytes(8))
    put_safetensors("dtype_f8", "unknown dtype 'F8_E4M3'", {"a": tensor("F8_E4M3", (8,))}, bytes(8))
    put_safetensors("dtype_number", "unexpected a number", {"a": tensor(32)}, bytes(8))
    put_safetensors("dtype_with_newline", "unknown dtype 'F32\\nF32'", {"a": tensor("F32\nF32")}, bytes(8))
    put_safetensors("dtype_wrong_width", "span 8 bytes but dtype and shape need 16", {"a": tensor("F64")}, bytes(8))
    put_safetensors("shape_string", "unexpected a string at key 'shape'", {"a": {**tensor(), "shape": "2"}}, bytes(8))
    put_safetensors("shape_negative", "negative number -2", {"a": tensor(shape=(-2,))}, bytes(8))
    put_safetensors("shape_two_negatives", "negative number -1", {"a": tensor(shape=(-1, -2))}, bytes(8))
    put_safetensors("shape_fraction", "is no integer", {"a": tensor(shape=(2.0,))}, bytes(8))
    put_safetensors("shape_exponent", "is no integer", '{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}', bytes(8))
    put_safetensors("shape_2_63", "too large", {"a": tensor(shape=(2**63,))}, bytes(8))
    put_safetensors("shape_2_64", "is no integer in range", {"a": tensor(shape=(2**64,))}, bytes(8))
    put_safetensors("shape_1e999", "not valid JSON", '{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}', bytes(8))
    put_safetensors("shape_product_overflows", "product overflows", {"a": tensor(shape=(2**32, 2**32))}, bytes(8))
    put_safetensors("shape_product_wraps_to_8", "product overflows", {"a": tensor(shape=(2**62 + 2, 1))}, bytes(8))  # x 4 bytes = 8 mod 2^64
    put_safetensors("shape_17_dimensions", "more than 16 dimensions", {"a": tensor(shape=(1,) * 17, offsets=(0, 4))}, bytes(4))
    put_safetensors("shape_true", "shape holds integers", {"a": tensor(shape=(True,))}, bytes(8))


def extents():
    two = lambda first, second: {"a": tensor(offsets=first), "b": tensor(offsets=second)}
    put_safetensors("offsets_one", "fewer than two", {"a": tensor(offsets=(0,))}, bytes(8))
    put_safetensors("offsets_three", "more than two", {"a": tensor(offsets=(0, 8, 8))}, bytes(8))
    put_safetensors("offsets_strings", "data_offsets holds integers", {"a": tensor(offsets=("0", "8"))}, bytes(8))
    put_safetensors("offsets_negative", "negative number -8", {"a": tensor(offsets=(-8, 0))}, bytes(8))
    put_safetensors("offsets_reversed", "end before they begin", {"a": tensor(offsets=(8, 0))}, bytes(8))
    put_safetensors("offsets_beyond_file", "the file has only 8 bytes", {"a": tensor(shape=(4,), offsets=(0, 16))}, bytes(8))
    put_safetensors("offsets_huge", "the file has only 8 bytes", {"a": tensor(shape=(2,), offsets=(2**64 - 9, 2**64 - 1))}, bytes(8))
    put_safetensors("offsets_too_few_bytes", "span 4 bytes", {"a": tensor(offsets=(0, 4))}, bytes(4))
    put_safetensors("offsets_zero_tensor_with_bytes", "need 0", {"a": tensor(shape=(0,), offsets=(0, 8))}, bytes(8))
    put_safetensors("overlap_partly", "overlaps", two((0, 8), (4, 12)), bytes(12))
    put_safetensors("overlap_wholly", "overlaps", two((0, 8), (0, 8)), bytes(8))
    put_safetensors("hole_between", "a hole", two((0, 8), (12, 20)), bytes(20))
    put_safetensors("hole_at_start", "a hole", {"a": tensor(offsets=(4, 12))}, bytes(12))
    put_safetensors("trailing_bytes", "the data ends at byte 8", {"a": tensor()}, bytes(9))
    put_safetensors("missing_last_byte", "the file has only 7 bytes", {"a": tensor()}, bytes(7))
    put_safetensors("no_tensors_but_data", "the data ends at byte 0", {}, bytes(8))


def duplicates():
    entry = json.dumps(tensor(), separators=(",", ":"))
    put_safetensors("duplicate_name", "duplicate name 'a'", f'{{"a":{entry},"a":{entry}}}', bytes(8))
    put_safetensors("duplicate_name_escaped", "duplicate name 'a'", f'{{"a":{entry},"\\u0061":{entry}}}', bytes(8))
    put_safetensors("duplicate_dtype", "duplicate key 'dtype'", '{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    put_safetensors("duplicate_shape", "duplicate key 'shape'", '{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}', bytes(8))
    put_safetensors("duplicate_metadata", "duplicate name '__metadata__'", '{"__metadata__":{},"__metadata__":{}}')
    put_safetensors("duplicate_metadata_key", "duplicate key 'k'", '{"__metadata__":{"k":"1","k":"2"}}')


def metadata():
    put_safetensors("metadata_number", "maps strings to strings", {"__metadata__": {"step": 3}})
    put_safetensors("metadata_null", "maps strings to strings", {"__metadata__": {"step": None}})
    put_safetensors("metadata_nested", "maps strings to strings", {"__metadata__": {"config": {"d_model": 16}}})
    put_safetensors("metadata_array", "expected an object", {"__metadata__": ["a"]})
    put_safetensors("metadata_string", "expected an object", {"__metadata__": "a"})
    put_safetensors("metadata_as_tensor", "maps strings to strings", {"__metadata__": tensor()}, bytes(8))


def put_toml(name, content, fragment):
    put(f"toml/{name}.toml", content, fragment)


def toml_syntax():
    put_toml("no_value", "seed =\n", ":1:")
    put_toml("no_equals", "seed\n", ":1:")
    put_toml("line_is_counted", "# one\n# two\nseed = = 3\n", ":3:")
    put_toml("unclosed_string", 'name = "abc\n', ":1:")
    put_toml("unclosed_array", "betas = [1.0,\n", ":1:")
    put_toml("unclosed_table", "[model\n", ":1:")
    put_toml("bad_utf8", b'name = "\xff\xfe"\n', ":1:")
    put_toml("nul_byte", b"seed = 1\0\n", ":1:")
    put_toml("control_character", b'name = "a\x07b"\n', ":1:")
    put_toml("duplicate_key", "seed = 1\nseed = 2\n", ":2:")
    put_toml("duplicate_table", "[model]\nd_model = 8\n[model]\nd_model = 9\n", ":3:")
    put_toml("key_then_table", "model = 1\n[model]\n", ":2:")
    put_toml("integer_overflow", "seed = 99999999999999999999\n", ":1:")
    put_toml("leading_zero", "seed = 007\n", ":1:")
    put_toml("deep_array", "betas = " + "[" * 3000 + "]" * 3000 + "\n", "nested deeper")
    put_toml("deep_inline_table", "a = " + "{a=" * 1000 + "1" + "}" * 1000 + "\n", "nested deeper")
    put_toml("deep_dotted_key", ".".join(["a"] * 1500) + " = 1\n", "nested deeper")
    put_toml("deep_dotted_quoted_key", ".".join(['"="'] * 1000) + " = 1\n", "nested deeper")
    put_toml("deep_header", "[" + ".".join(["a"] * 1500) + "]\n", "nested deeper")
    put_toml("deep_key_after_quoted_quote", 'a = ["""x"""", {' + ".".join(["a"] * 1500) + " = 1}]\n", "nested deeper")
    put_toml("accented_key", "seed = 1\nclé = 1\n", ":2: a character beyond ASCII")
    put_toml("wide_space", "seed\u00a0= 1\n", ":1: a character beyond ASCII")
    put_toml("wide_space_3000", "seed\u3042= 1\n", ":1: a character beyond ASCII")
    put_toml("bare_table_header", "[\n", ":1:")
    put_toml("deep_header_in_lines", "".join("[" + ".".join(["a"] * n) + "]\n" for n in range(1, 40)), "nested deeper")


def toml_binding():
    put_toml("unknown_key", "seeed = 1\n", ":1: seeed: unknown key; did you mean 'seed'?")
    put_toml("unknown_key_far", "name = \"a\"\nwidth = 1\n", ":2: width: unknown key; choose one of")
    put_toml("unknown_key_with_newline", '"se\\ned" = 1\n', "unknown key")
    put_toml("unknown_nested_key", "[model]\nd_modle = 8\n", ":2: model.d_modle: unknown key; did you mean 'd_model'?")
    put_toml("unknown_layer_key", "[model]\n[[model.layers]]\ntype = \"rotating\"\nd_sate = 8\n",
             ":4: model.layers[0].d_sate: unknown key; did you mean 'd_state'?")
    put_toml("key_of_another_type", "[[model.layers]]\ntype = \"averaging\"\nd_state = 8\n", "model.layers[0].d_state: unknown key")
    put_toml("unknown_type", "[[model.layers]]\ntype = \"rotatin\"\n", "did you mean 'rotating'?")
    put_toml("type_is_number", "[[model.layers]]\ntype = 3\n", "model.layers[0].type: expected a string, found an integer")
    put_toml("type_missing", "[[model.layers]]\nd_state = 8\n", "model.layers[0].type: required key is missing")
    put_toml("layer_is_number", "[model]\nlayers = [1]\n", "model.layers[0]: expected a table, found an integer")
    put_toml("layers_is_table", "[model.layers]\ntype = \"rotating\"\n", "model.layers: expected an array, found a table")
    put_toml("model_is_string", "model = \"mamba\"\n", ":1: model: expected a table, found a string")
    put_toml("integer_is_float", "seed = 1.0\n", "seed: expected an integer, found a number")
    put_toml("integer_is_string", "seed = \"1\"\n", "seed: expected an integer, found a string")
    put_toml("bool_is_integer", "resume = 1\n", "resume: expected true or false, found an integer")
    put_toml("string_is_bool", "name = true\n", "name: expected a string, found true or false")
    put_toml("date", "name = 1979-05-27\n", "dates and times")
    put_toml("date_in_array", "betas = [07:32:00]\n", "dates and times")
    put_toml("rate_nan", "[learning_rate]\npeak = nan\n", ":2: learning_rate.peak: nan is not allowed")
    put_toml("rate_infinite", "[learning_rate]\npeak = -inf\n", "learning_rate.peak: -inf is not allowed")
    put_toml("rate_zero", "[learning_rate]\npeak = 0\n", "learning_rate.peak: 0 is out of range; expected a number in (0, 1]")
    put_toml("rate_too_large", "[learning_rate]\npeak = 1.5\n", "1.5 is out of range")
    put_toml("beta_out_of_range", "betas = [0.9, 1.0]\n", ":1: betas[1]: 1 is out of range; expected a number in [0, 1)")
    put_toml("int32_overflow", "workers = 2147483648\n", "workers: 2147483648 is out of range")
    put_toml("unknown_enum", "[learning_rate]\nshape = \"cosin\"\n", "unknown value 'cosin'; did you mean 'cosine'?")
    put_toml("rule_broken", "[learning_rate]\npeak = 0.1\nend = 0.2\n", ":3: learning_rate.end: must not exceed 'peak'")


def main():
    for group in (lengths, not_the_json_expected, entries, extents, duplicates, metadata, toml_syntax, toml_binding):
        group()
    (HERE / "expected.txt").write_text("".join(expected))


if __name__ == "__main__":
    main()
