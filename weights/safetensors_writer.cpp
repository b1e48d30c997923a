// Writing: every check first, then the bytes, to memory or to a file that appears whole.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "weights/printable.h"
#include "weights/safetensors.h"
#include "weights/safetensors_checks.h"

namespace lprnet::weights {
namespace {

// Data begins at a multiple of this. 64 bytes are a cache line and the widest vector register
// (AVX-512), so in a page-aligned mapping the largest-element tensors start on a line; the format
// lets a header be padded by any number of spaces. Readers must not count on it.
constexpr std::size_t kDataAlignment = 64;

// A JSON string. The format's own implementation writes non-ASCII characters as they are, too.
void append_json(std::string& out, std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += kDigits[byte >> 4];
            out += kDigits[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

Status check_tensor(const TensorView& tensor) {
    const std::string where = "tensor " + in_quotes(tensor.name) + ": ";
    const auto wrong = [&](const std::string& what) {
        return Error{ErrorCode::invalid_argument, where + what};
    };
    if (const auto fault = name_fault(tensor.name)) return wrong("the name " + *fault);
    if (tensor.name == kMetadataKey) return wrong("the name is reserved for metadata");
    if (tensor.shape.size() > kMaxRank) {
        return wrong("expected at most " + std::to_string(kMaxRank) + " dimensions, found " +
                     std::to_string(tensor.shape.size()));
    }
    const std::optional<std::uint64_t> size = byte_size(tensor.shape, tensor.dtype);
    const std::string kind = std::string(dtype_name(tensor.dtype)) + " " + shape_text(tensor.shape);
    if (!size) return wrong("expected dimensions from 0 up that fit 63 bits, found " + kind);
    if (*size != tensor.bytes.size()) {
        return wrong("expected " + std::to_string(*size) + " bytes for " + kind + ", found " +
                     std::to_string(tensor.bytes.size()));
    }
    return {};
}

Status check_metadata(const Metadata& metadata) {
    if (metadata.size() > kMaxMetadataEntries) {
        return Error{ErrorCode::invalid_argument,
                     "metadata: expected at most " + std::to_string(kMaxMetadataEntries) +
                         " entries, found " + std::to_string(metadata.size())};
    }
    for (const auto& [key, value] : metadata) {
        if (find_invalid_utf8(key) != std::string::npos ||
            find_invalid_utf8(value) != std::string::npos) {
            return Error{ErrorCode::invalid_argument,
                         "metadata: key " + in_quotes(key) + " or its value is not valid UTF-8"};
        }
    }
    return {};
}

struct Plan {
    std::string head;                      // length, header and padding
    std::vector<const TensorView*> order;  // of the data
    std::uint64_t data_size = 0;
};

Result<Plan> plan_file(std::span<const TensorView> tensors, const Metadata& metadata) {
    if (tensors.size() > kMaxTensors) {
        return Error{ErrorCode::invalid_argument,
                     "expected at most " + std::to_string(kMaxTensors) + " tensors, found " +
                         std::to_string(tensors.size())};
    }
    std::vector<const TensorView*> by_name;
    by_name.reserve(tensors.size());
    for (const TensorView& tensor : tensors) {
        if (Status status = check_tensor(tensor); !status) return status.error();
        by_name.push_back(&tensor);
    }
    if (Status status = check_metadata(metadata); !status) return status.error();
    std::sort(by_name.begin(), by_name.end(),
              [](const TensorView* a, const TensorView* b) { return a->name < b->name; });
    const auto twice = std::adjacent_find(
        by_name.begin(), by_name.end(),
        [](const TensorView* a, const TensorView* b) { return a->name == b->name; });
    if (twice != by_name.end()) {
        return Error{ErrorCode::invalid_argument,
                     "tensor " + in_quotes((*twice)->name) + " occurs twice"};
    }

    Plan plan;
    plan.order = by_name;
    std::stable_sort(plan.order.begin(), plan.order.end(),
                     [](const TensorView* a, const TensorView* b) {
                         return element_size(a->dtype) > element_size(b->dtype);
                     });
    std::map<const TensorView*, std::uint64_t> begins;
    for (const TensorView* tensor : plan.order) {
        begins.emplace(tensor, plan.data_size);
        plan.data_size += tensor->bytes.size();
    }

    std::string header = "{";
    if (!metadata.empty()) {
        append_json(header, kMetadataKey);
        header += ":{";
        for (const auto& [key, value] : metadata) {
            if (header.back() != '{') header += ',';
            append_json(header, key);
            header += ':';
            append_json(header, value);
        }
        header += '}';
    }
    for (const TensorView* tensor : by_name) {
        if (header.back() != '{') header += ',';
        append_json(header, tensor->name);
        header += ":{\"dtype\":\"";
        header += dtype_name(tensor->dtype);
        header += "\",\"shape\":[";
        for (const std::int64_t dimension : tensor->shape) {
            if (header.back() != '[') header += ',';
            header += std::to_string(dimension);
        }
        const std::uint64_t begin = begins.find(tensor)->second;
        header += "],\"data_offsets\":[" + std::to_string(begin) + "," +
                  std::to_string(begin + tensor->bytes.size()) + "]}";
    }
    header += '}';
    const std::size_t beyond = (kLengthBytes + header.size()) % kDataAlignment;
    if (beyond != 0) header.append(kDataAlignment - beyond, ' ');
    if (header.size() > kMaxHeaderBytes) {
        return Error{ErrorCode::invalid_argument,
                     "expected a header of at most " + std::to_string(kMaxHeaderBytes) +
                         " bytes, found " + std::to_string(header.size())};
    }
    const auto length = static_cast<std::uint64_t>(header.size());
    plan.head.resize(kLengthBytes);
    std::memcpy(plan.head.data(), &length, kLengthBytes);
    plan.head += header;
    return plan;
}

// A file being written. Unless commit() succeeded, the destructor removes it again, if it is one
// that this object created.
class Output {
public:
    Output(int fd, std::string created) noexcept : fd_(fd), created_(std::move(created)) {}
    ~Output() {
        if (fd_ >= 0) ::close(fd_);
        if (!created_.empty()) ::unlink(created_.c_str());
    }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    int fd() const noexcept { return fd_; }

    // Zero or errno, as the next two.
    int write(const void* data, std::size_t size) noexcept {
        // Linux writes at most 2 GiB at a time, macOS rejects more.
        constexpr std::size_t kLargestWrite = 1U << 30;
        const auto* at = static_cast<const char*>(data);
        while (size > 0) {
            const ssize_t written = ::write(fd_, at, std::min(size, kLargestWrite));
            if (written < 0) {
                if (errno == EINTR) continue;
                return errno;
            }
            if (written == 0) return EIO;
            at += written;
            size -= static_cast<std::size_t>(written);
        }
        return 0;
    }

    // Closing is where a network file system or a quota reports a failed write.
    int close() noexcept { return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

    int rename_to(const std::string& target) noexcept {
        if (::rename(created_.c_str(), target.c_str()) != 0) return errno;
        created_.clear();
        return 0;
    }

private:
    int fd_;
    std::string created_;
};

int write_plan(Output& output, const Plan& plan) noexcept {
    int number = output.write(plan.head.data(), plan.head.size());
    for (const TensorView* tensor : plan.order) {
        if (number == 0) number = output.write(tensor->bytes.data(), tensor->bytes.size());
    }
    return number;
}

// Opens a file that did not exist, in the folder of `target`. `name` becomes its path. The
// descriptor, or -1 with errno set. Its mode is the umask's business, as for any new file.
int create_beside(const std::string& target, std::string& name) {
    static std::atomic<unsigned> next{0};
    const std::size_t slash = target.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : target.substr(0, slash + 1);
    constexpr int kAttempts = 100;  // names taken by the remains of crashed runs with this pid
    for (int i = 0; i < kAttempts; ++i) {
        name = folder + ".lprnet-" + std::to_string(::getpid()) + "-" + std::to_string(next++) +
               ".tmp";
        const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

Status write_file(const std::string& path, const Plan& plan) {
    const auto failed = [&](const char* what, int number) {
        return Error{
            number == ENOMEM ? ErrorCode::out_of_memory : ErrorCode::not_found,
            printable(path) + ": " + what + ": " + std::generic_category().message(number)};
    };
    // The file behind a link is replaced, not the link; a path that does not exist stays as it is.
    std::string target = path;
    const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr),
                                                          &std::free);
    if (resolved) target = resolved.get();

    struct stat status = {};
    const bool exists = ::stat(target.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) {
        return Error{ErrorCode::not_found,
                     printable(path) + ": expected a file to write, found a folder"};
    }
    if (exists && !S_ISREG(status.st_mode)) {
        // Renaming over a device or pipe would put a file in its place.
        Output output(::open(target.c_str(), O_WRONLY | O_CLOEXEC), "");
        if (output.fd() < 0) return failed("cannot be opened for writing", errno);
        int number = write_plan(output, plan);
        if (number == 0) number = output.close();
        if (number != 0) return failed("cannot be written", number);
        return {};
    }
    if (exists && ::faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0) {
        return failed("cannot be replaced", errno);
    }

    std::string temporary;
    const int fd = create_beside(target, temporary);
    if (fd < 0) return failed("cannot be created", errno);
    Output output(fd, std::move(temporary));
    int number = write_plan(output, plan);
    // A replaced file keeps its permissions; where the file system has none, that is no error.
    if (number == 0 && exists) {
        static_cast<void>(!::fchmod(output.fd(), status.st_mode & 0777U));
    }
    if (number == 0) number = output.close();
    if (number != 0) return failed("cannot be written", number);
    number = output.rename_to(target);
    if (number != 0) return failed("cannot be renamed into place", number);
    return {};
}

}  // namespace

Result<std::vector<std::byte>> serialize_safetensors(std::span<const TensorView> tensors,
                                                     const Metadata& metadata) noexcept {
    try {
        const Result<Plan> plan = plan_file(tensors, metadata);
        if (!plan) return plan.error();
        std::vector<std::byte> bytes;
        bytes.reserve(plan->head.size() + static_cast<std::size_t>(plan->data_size));
        const auto head = std::as_bytes(std::span(plan->head));
        bytes.insert(bytes.end(), head.begin(), head.end());
        for (const TensorView* tensor : plan->order) {
            bytes.insert(bytes.end(), tensor->bytes.begin(), tensor->bytes.end());
        }
        return bytes;
    } catch (...) {
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

Status write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                         const Metadata& metadata) noexcept {
    try {
        if (path.empty()) {
            return Error{ErrorCode::invalid_argument, "expected a file name, found an empty path"};
        }
        if (path.find('\0') != std::string::npos) {
            return Error{ErrorCode::invalid_argument,
                         printable(path) + ": a path cannot hold a zero byte"};
        }
        const Result<Plan> plan = plan_file(tensors, metadata);
        if (!plan) {
            Error error = plan.error();
            error.message = printable(path) + ": " + error.message;
            return error;
        }
        return write_file(path, *plan);
    } catch (...) {
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

}  // namespace lprnet::weights
