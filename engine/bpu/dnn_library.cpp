#include "engine/bpu/dnn_library.h"

#include <dlfcn.h>

#include "engine/text/printable.h"

namespace lprnet::bpu {
namespace {

Error unsupported(const std::string& path, const std::string& what) {
    return {ErrorCode::unsupported, printable(path) + ": " + what};
}

std::string last_error() {
    const char* text = dlerror();
    return text != nullptr ? printable(text) : "no reason given";
}

}  // namespace

Result<std::shared_ptr<const DnnLibrary>> DnnLibrary::open(const std::string& path) {
    // Lazily, as programs that are linked with it bind it: what else it lacks may never be called.
    // It stays in the process, for a driver's library may leave threads behind.
    void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) return unsupported(path, "cannot be opened: " + last_error());
    auto library = std::make_shared<DnnLibrary>();
    // Nothing is unloaded by it, see above.
    const auto refuse = [&](const std::string& what) {
        dlclose(handle);
        return unsupported(path, what);
    };
#define LPRNET_DNN_FIND(name, symbol, ...)                                         \
    library->functions_.name =                                                     \
        reinterpret_cast<std::add_pointer_t<__VA_ARGS__>>(dlsym(handle, #symbol)); \
    if (library->functions_.name == nullptr) return refuse("has no function " #symbol);
    using namespace abi;
    LPRNET_DNN_FUNCTIONS(LPRNET_DNN_FIND)
#undef LPRNET_DNN_FIND
    const char* version = library->functions_.get_version();
    library->version_ = version != nullptr ? printable(version) : "";
    // Later generations of the runtime have functions of these names with other structures.
    if (!library->version_.starts_with("1."))
        return refuse("expected version 1.x, found " + in_quotes(library->version_));
    return std::shared_ptr<const DnnLibrary>(std::move(library));
}

}  // namespace lprnet::bpu
