#include "tests/bpu/stand_in_library.h"

#include <dlfcn.h>

#include "tests/catch.h"

namespace lprnet::test {
namespace {

template <class Function>
Function* find(const char* name) {
    void* library = dlopen(StandIn::path().c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) FAIL(dlerror());
    auto* function = reinterpret_cast<Function*>(dlsym(library, name));
    REQUIRE(function != nullptr);
    return function;
}

void (*current_edit)(bpu::abi::TensorProperties&, bool, int) = nullptr;

void pass_on(void* properties, bool output, int index) {
    current_edit(*static_cast<bpu::abi::TensorProperties*>(properties), output, index);
}

}  // namespace

StandIn::StandIn(const std::string& settings) {
    find<StandInReset>("stand_in_reset")(settings.c_str());
    find<StandInEdit>("stand_in_edit")(nullptr);
}

StandIn::~StandIn() {
    find<StandInEdit>("stand_in_edit")(nullptr);
}

std::string StandIn::path() {
    return LPRNET_STAND_IN_FILE;
}

StandInCounts StandIn::counts() const {
    StandInCounts counts;
    find<StandInGet>("stand_in_counts")(&counts);
    return counts;
}

std::string StandIn::misuse() const {
    return find<StandInMisuse>("stand_in_misuse")();
}

void StandIn::edit(void (*edit)(bpu::abi::TensorProperties&, bool, int)) {
    current_edit = edit;
    find<StandInEdit>("stand_in_edit")(pass_on);
}

void StandIn::check_nothing_left() const {
    const StandInCounts left = counts();
    CHECK(left.models == 0);
    CHECK(left.tasks == 0);
    CHECK(left.blocks == 0);
    CHECK(misuse() == "");
}

}  // namespace lprnet::test
