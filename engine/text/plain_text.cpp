#include "engine/text/plain_text.h"

#include <algorithm>

#include "engine/text/utf8.h"

namespace lprnet {

Result<std::string_view> check_text(std::string_view text, const std::string& label) {
    constexpr std::string_view kUtf16Marks[] = {"\xFF\xFE", "\xFE\xFF"};
    for (const std::string_view mark : kUtf16Marks) {
        if (text.starts_with(mark))
            return Error{ErrorCode::malformed, label + ": expected UTF-8, found UTF-16"};
    }
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
        const auto line =
            1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
        return Error{ErrorCode::malformed, label + ": line " + std::to_string(line) +
                                               " has a zero byte, expected text in UTF-8"};
    }
    return text;
}

}  // namespace lprnet
