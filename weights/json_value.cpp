#include "weights/json_value.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/text/number_text.h"
#include "engine/text/printable.h"

namespace lprnet::weights {
namespace {

// Builds the tree from the parser's events, which come without recursion.
class Builder {
public:
    JsonValue root;
    std::optional<std::string> problem;

    bool null() {
        add({});
        return true;
    }
    bool boolean(bool value) {
        add({.kind = JsonValue::Kind::boolean, .number = value ? 1.0 : 0.0});
        return true;
    }
    bool number_integer(nlohmann::json::number_integer_t value) {
        add({.kind = JsonValue::Kind::number, .number = static_cast<double>(value)});
        return true;
    }
    bool number_unsigned(nlohmann::json::number_unsigned_t value) {
        add({.kind = JsonValue::Kind::number,
             .is_whole = true,
             .whole = value,
             .number = static_cast<double>(value)});
        return true;
    }
    bool number_float(nlohmann::json::number_float_t value, const std::string& /*text*/) {
        if (!std::isfinite(value)) return fail("has a number that is not finite");
        add({.kind = JsonValue::Kind::number, .number = value});
        return true;
    }
    bool string(std::string& value) {
        add({.kind = JsonValue::Kind::text, .text = std::move(value)});
        return true;
    }
    bool binary(nlohmann::json::binary_t& /*value*/) { return fail("is not valid JSON"); }

    bool start_object(std::size_t /*count*/) { return open(JsonValue::Kind::object); }
    bool start_array(std::size_t /*count*/) { return open(JsonValue::Kind::array); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }

    bool key(std::string& name) {
        JsonValue& object = *open_.back();
        if (object.find(name) != nullptr) return fail("has the key " + in_quotes(name) + " twice");
        // Looking for a key among many is slow: no object that is asked for has so many.
        constexpr std::size_t kMaxFields = 256;
        if (object.fields.size() == kMaxFields) {
            return fail("has more than " + std::to_string(kMaxFields) + " keys in one object");
        }
        object.fields.emplace_back(std::move(name), JsonValue());
        return true;
    }

    bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                     const nlohmann::json::exception& /*cause*/) {
        return fail("is not valid JSON");
    }

private:
    bool fail(std::string what) {
        problem = std::move(what);
        return false;
    }

    // Where the value went. Values above an open one stay where they are
    // until it is closed: its parent gets no others before.
    JsonValue* add(JsonValue value) {
        JsonValue* place = &root;
        if (!open_.empty()) {
            JsonValue& parent = *open_.back();
            place = parent.kind == JsonValue::Kind::array ? &parent.items.emplace_back()
                                                          : &parent.fields.back().second;
        }
        *place = std::move(value);
        return place;
    }

    bool open(JsonValue::Kind kind) {
        open_.push_back(add({.kind = kind}));
        return true;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    std::vector<JsonValue*> open_;
};

void append_text(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

void append(std::string& out, const JsonValue& value) {
    // Messages show less.
    constexpr std::size_t kEnough = 4 * kMaxShownBytes;
    if (out.size() > kEnough) return;
    switch (value.kind) {
        case JsonValue::Kind::null: out += "null"; break;
        case JsonValue::Kind::boolean: out += value.number != 0.0 ? "true" : "false"; break;
        case JsonValue::Kind::number:
            out += value.is_whole ? std::to_string(value.whole) : shortest_number(value.number);
            break;
        case JsonValue::Kind::text: append_text(out, value.text); break;
        case JsonValue::Kind::array:
            out += '[';
            for (const JsonValue& item : value.items) {
                if (&item != &value.items.front()) out += ',';
                append(out, item);
            }
            out += ']';
            break;
        case JsonValue::Kind::object:
            out += '{';
            for (const auto& field : value.fields) {
                if (&field != &value.fields.front()) out += ',';
                append_text(out, field.first);
                out += ':';
                append(out, field.second);
            }
            out += '}';
            break;
    }
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const noexcept {
    for (const auto& [key, value] : fields) {
        if (key == name) return &value;
    }
    return nullptr;
}

std::string JsonValue::shown() const {
    std::string out;
    append(out, *this);
    return out;
}

Result<JsonValue> read_json(std::string_view text) {
    Builder builder;
    // The parser takes a zero byte for the end.
    const bool complete =
        text.find('\0') == std::string_view::npos && nlohmann::json::sax_parse(text, &builder);
    if (complete && !builder.problem) return std::move(builder.root);
    return Error{ErrorCode::malformed,
                 builder.problem ? *std::move(builder.problem) : "is not valid JSON"};
}

}  // namespace lprnet::weights
