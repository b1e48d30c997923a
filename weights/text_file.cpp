#include "weights/text_file.h"

#include <vector>

#include "engine/text/plain_text.h"
#include "engine/text/printable.h"
#include "weights/file_bytes.h"

namespace lprnet::weights {

Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
    const Result<std::vector<std::byte>> bytes = read_file(path, max_bytes);
    if (!bytes) return bytes.error();
    const std::string_view all(reinterpret_cast<const char*>(bytes.value().data()),
                               bytes.value().size());
    const Result<std::string_view> text = check_text(all, printable(path));
    if (!text) return text.error();
    return std::string(*text);
}

}  // namespace lprnet::weights
