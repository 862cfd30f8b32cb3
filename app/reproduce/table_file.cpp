// Tables as files: read, checked, found by their names.
#include <algorithm>
#include <set>

#include "app/reproduce/table.hpp"
#include "app/run/built_in.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {

// Found through argument-dependent lookup.
template <class V>
void describe(V& v, OtherPreset& c) {
    v.field("row", c.row, required());
    v.field("preset", c.preset, required());
}

template <class V>
void describe(V& v, TableProfile& c) {
    v.field("recipe", c.recipe, required());
    v.field("test_size", c.test_size, range(2, kLargestSize).required());
    v.field("set", c.set);
    v.field("others", c.others);
    v.field("rows", c.rows);
}

template <class V>
void describe(V& v, TableColumn& c) {
    v.field("key", c.key, required());
    v.require(names_a_folder(c.key), "key", kFolderNameRule);
    v.field("label", c.label, required());
    v.field("metric", c.metric);
    v.field("set", c.set);
    v.field("quick", c.quick);
    v.field("full", c.full);
    v.require(c.is_in(Profile::quick) || c.is_in(Profile::full), "full",
              "neither this nor 'quick' says how to measure");
}

template <class V>
void describe(V& v, TableRow& c) {
    v.field("key", c.key, required());
    v.require(names_a_folder(c.key), "key", kFolderNameRule);
    v.field("label", c.label, required());
    v.field("preset", c.preset, required());
    v.field("set", c.set);
    v.field("quick_set", c.quick_set);
    v.field("full_set", c.full_set);
}

template <class V>
void describe(V& v, TableMeasurement& c) {
    v.field("key", c.key, required());
    v.require(names_a_folder(c.key), "key", kFolderNameRule);
    v.field("kind", c.kind, required());
    v.field("batch", c.batch, range(1, 65536));
    v.field("rows", c.rows, required());
}

template <class V>
void describe(V& v, ParameterMatch& c) {
    v.field("row", c.row, required());
    v.field("within", c.within, above(0).below(1));
}

namespace {

constexpr double kMostWidth = 65536;

/// The file: a table, with the published figures by column and row.
struct TableFile {
    PublishedTable table;
    Value published{Table{}};
};

template <class V>
void describe(V& v, TableFile& c) {
    PublishedTable& t = c.table;
    v.field("name", t.name, required());
    v.require(names_a_folder(t.name), "name", kFolderNameRule);
    v.field("title", t.title, required());
    v.field("source", t.source, required());
    v.field("protocol", t.protocol);
    v.field("match", t.match);
    v.field("fresh_seeds", t.fresh_seeds, range(2, 1000));
    v.field("widths", t.widths, range(1, kMostWidth));
    v.field("quick_widths", t.quick_widths, range(1, kMostWidth));
    v.require(!t.widths.empty() && !t.quick_widths.empty(), "widths", "must list at least one");
    v.field("columns", t.columns, required());
    v.field("rows", t.rows, required());
    v.field("measurements", t.measurements);
    v.field("published", c.published);
    v.require(!t.columns.empty(), "columns", "must list at least one [[columns]]");
    v.require(!t.rows.empty(), "rows", "must list at least one [[rows]]");
}

template <class Item>
std::vector<std::string> keys_of(const std::vector<Item>& items) {
    std::vector<std::string> keys;
    for (const Item& item : items) keys.push_back(item.key);
    return keys;
}

template <class Item>
const Item& item_of(const std::vector<Item>& items, const std::string& key, const char* what,
                    const std::string& where) {
    for (const Item& item : items)
        if (item.key == key) return item;
    throw UserError(where + ": the table has no " + what + " " + in_quotes(key) + suggestion(key, keys_of(items)));
}

template <class Item>
void refuse_repeated(const std::vector<Item>& items, const char* what, const std::string& source) {
    std::set<std::string> seen;
    for (const Item& item : items)
        if (!seen.insert(item.key).second)
            throw UserError(source + ": " + what + ": the key " + in_quotes(item.key) + " is there twice");
}

const Table& members(const Value& value, const Place& place) {
    const Table* table = std::get_if<Table>(&value.data);
    if (table == nullptr) fail_at(place, value.line, std::string("expected a table, found ") + kind_name(value));
    return *table;
}

std::vector<PublishedFigure> figures_of(const PublishedTable& table, const Value& published, const Place& place) {
    std::vector<PublishedFigure> figures;
    for (const Member& column : members(published, place)) {
        const Place at = place.child(column.key);
        column_of(table, column.key, *at.source + ": " + at.path);
        for (const Member& row : members(column.value, at)) {
            row_of(table, row.key, *at.source + ": " + at.path);
            figures.push_back(
                {column.key, row.key, binding::read_double(row.value, at.child(row.key), range(-100, 100))});
        }
    }
    return figures;
}

void check(const PublishedTable& table, const std::string& source) {
    refuse_repeated(table.columns, "columns", source);
    refuse_repeated(table.rows, "rows", source);
    refuse_repeated(table.measurements, "measurements", source);
    for (const TableColumn& column : table.columns)
        for (const TableProfile* profile : {&column.quick, &column.full}) {
            for (const OtherPreset& other : profile->others)
                row_of(table, other.row, source + ": columns: " + column.key + ": others");
            for (const std::string& row : profile->rows)
                row_of(table, row, source + ": columns: " + column.key + ": rows");
        }
    if (table.match) row_of(table, table.match->row, source + ": match.row");
}

const std::vector<PublishedTable>& tables() {
    static const std::vector<PublishedTable> list = [] {
        std::vector<PublishedTable> read;
        for (const BuiltInText& text : built_in_tables())
            read.push_back(read_table(parse_toml(text.text, std::string(text.name) + ".toml (built in)")));
        return read;
    }();
    return list;
}

}  // namespace

PublishedTable read_table(const Document& document) {
    TableFile file;
    read_config(document, file);
    file.table.figures = figures_of(file.table, file.published, {&document.source, "published"});
    check(file.table, document.source);
    return file.table;
}

std::vector<std::string> published_table_names() {
    std::vector<std::string> names;
    for (const PublishedTable& table : tables()) names.push_back(table.name);
    return names;
}

const PublishedTable& published_table(const std::string& name) {
    for (const PublishedTable& table : tables())
        if (name == table.name) return table;
    throw UserError("unknown table " + in_quotes(name) + suggestion(name, published_table_names()));
}

const TableColumn& column_of(const PublishedTable& table, const std::string& key, const std::string& where) {
    return item_of(table.columns, key, "column", where);
}

const TableRow& row_of(const PublishedTable& table, const std::string& key, const std::string& where) {
    return item_of(table.rows, key, "row", where);
}

}  // namespace whorl
