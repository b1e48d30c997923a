// What the tests of weights/ share: files built byte by byte, valid or not, a folder that goes
// away again, and the rules that every error message keeps.
#pragma once

#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>
#include "tests/catch.h"

#include "lprnet/error.h"
#include "weights/safetensors.h"

namespace lprnet::weights {

using Bytes = std::vector<std::byte>;

inline Bytes to_bytes(std::string_view text) {
    Bytes bytes(text.size());
    if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

// A file whose header and data are taken as they are, with `announced` as the header length.
inline Bytes file_with_length(std::uint64_t announced, std::string_view header,
                              std::string_view data = {}) {
    Bytes bytes(8);
    std::memcpy(bytes.data(), &announced, 8);
    for (const std::string_view part : {header, data}) {
        const Bytes more = to_bytes(part);
        bytes.insert(bytes.end(), more.begin(), more.end());
    }
    return bytes;
}

inline Bytes file_of(std::string_view header, std::string_view data = {}) {
    return file_with_length(header.size(), header, data);
}

// One entry of a header: "name":{"dtype":...,"shape":...,"data_offsets":...}.
inline std::string entry(std::string_view name, std::string_view dtype, std::string_view shape,
                         std::string_view offsets) {
    std::string text;
    text.append("\"").append(name).append("\":{\"dtype\":\"").append(dtype);
    text.append("\",\"shape\":").append(shape).append(",\"data_offsets\":").append(offsets);
    return text.append("}");
}

// One line, whole, free of anything that a terminal would act on, and holding every part.
inline void check_message(const Error& error, std::initializer_list<std::string_view> parts) {
    INFO("message: " << error.message);
    CHECK_FALSE(error.message.empty());
    CHECK(error.message.size() < 1000);
    for (const char c : error.message) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) FAIL_CHECK("control character in the message");
    }
    for (const std::string_view part : parts) {
        INFO("expected part: " << part);
        CHECK(error.message.find(part) != std::string::npos);
    }
}

// `bytes` must be refused with that code and a message that begins with the label.
inline void check_refused(const Bytes& bytes, ErrorCode code,
                          std::initializer_list<std::string_view> parts) {
    const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x.safetensors");
    REQUIRE_FALSE(file);
    CHECK(file.error().code == code);
    CHECK(file.error().message.rfind("x.safetensors: ", 0) == 0);
    check_message(file.error(), parts);
}

inline std::string data_of(const std::vector<float>& values) {
    std::string data(values.size() * sizeof(float), '\0');
    if (!values.empty()) std::memcpy(data.data(), values.data(), data.size());
    return data;
}

inline Bytes read_bytes(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)),
                           std::istreambuf_iterator<char>());
    return to_bytes(text);
}

inline void write_bytes(const std::string& path, std::string_view text) {
    std::ofstream stream(path, std::ios::binary);
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    REQUIRE(stream.good());
}

// A fresh folder under the system's temporary one, removed with all it holds.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "lprnet-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
    const std::string& path() const { return path_; }

    std::size_t entry_count() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_),
                                                      std::filesystem::directory_iterator()));
    }

private:
    std::string path_;
};

}  // namespace lprnet::weights
