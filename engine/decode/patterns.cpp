#include "lprnet/patterns.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/boundary.h"
#include "engine/decode/automaton.h"
#include "engine/decode/cn_patterns.h"
#include "engine/decode/pattern_file.h"
#include "engine/text/printable.h"
#include "weights/text_file.h"

namespace lprnet {
Result<Patterns> Patterns::parse(std::string_view text, const std::string& label) noexcept {
    return guarded([&]() -> Result<Patterns> {
        Result<PatternFile> file = parse_patterns(text, label);
        if (!file) return file.error();
        return Patterns(std::make_shared<const PatternFile>(std::move(*file)));
    });
}

Result<Patterns> Patterns::load(const std::string& path) noexcept {
    return guarded([&]() -> Result<Patterns> {
        Result<std::string> text = weights::read_text_file(path, kMaxPatternBytes);
        if (!text) return text.error();
        return parse(*text, printable(path));
    });
}

Result<Patterns> Patterns::builtin(std::string_view name) noexcept {
    return guarded([&]() -> Result<Patterns> {
        if (name == "cn") return parse(cn_patterns(), "cn");
        return Error{ErrorCode::not_found,
                     "patterns: no built-in set " + in_quotes(name) + ", expected 'cn'"};
    });
}

std::string_view Patterns::builtin_text() noexcept {
    return cn_patterns();
}

const std::vector<Patterns::Format>& Patterns::formats() const noexcept {
    return file_->formats;
}

Result<std::vector<bool>> Patterns::writable(const Model& model) const noexcept {
    return guarded([&]() -> Result<std::vector<bool>> {
        return writable_formats(*file_, model.charset(), model.blank());
    });
}

}  // namespace lprnet
