#include "lprnet/patterns.h"

#include <memory>
#include <new>
#include <utility>

#include "engine/decode/automaton.h"
#include "engine/decode/cn_patterns.h"
#include "engine/decode/pattern_file.h"
#include "weights/printable.h"
#include "weights/text_file.h"

namespace lprnet {
namespace {

Error out_of_memory(const std::string& label) {
    return {ErrorCode::out_of_memory, label + ": out of memory"};
}

}  // namespace

Result<Patterns> Patterns::parse(std::string_view text, const std::string& label) noexcept {
    try {
        Result<PatternFile> file = parse_patterns(text, label);
        if (!file) return file.error();
        return Patterns(std::make_shared<const PatternFile>(std::move(*file)));
    } catch (const std::bad_alloc&) {
        return out_of_memory(label);
    }
}

Result<Patterns> Patterns::load(const std::string& path) noexcept {
    try {
        Result<std::string> text = weights::read_text_file(path, kMaxPatternBytes);
        if (!text) return text.error();
        return parse(*text, weights::printable(path));
    } catch (const std::bad_alloc&) {
        return out_of_memory(path);
    }
}

Result<Patterns> Patterns::builtin(std::string_view name) noexcept {
    if (name != "cn") {
        try {
            return Error{ErrorCode::not_found, "patterns: no built-in set " +
                                                   weights::in_quotes(name) + ", expected 'cn'"};
        } catch (const std::bad_alloc&) {
            return out_of_memory("patterns");
        }
    }
    return parse(cn_patterns(), "cn");
}

std::string_view Patterns::builtin_text() noexcept {
    return cn_patterns();
}

const std::vector<Patterns::Format>& Patterns::formats() const noexcept {
    return file_->formats;
}

std::vector<bool> Patterns::writable(const Model& model) const {
    return writable_formats(*file_, model.charset(), model.blank());
}

}  // namespace lprnet
