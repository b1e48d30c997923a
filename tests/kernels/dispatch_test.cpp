#include "kernels/dispatch.h"

#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "engine/plan/plan.h"
#include "engine/run/choose_table.h"
#include "tests/catch.h"

namespace lprnet::test {
namespace {

// Sets LPRNET_ISA for one scope.
class ForcedIsa {
public:
    explicit ForcedIsa(const char* value) {
        if (const char* old = std::getenv("LPRNET_ISA")) old_ = old;
        setenv("LPRNET_ISA", value, 1);
    }
    ~ForcedIsa() {
        if (old_.empty()) {
            unsetenv("LPRNET_ISA");
        } else {
            setenv("LPRNET_ISA", old_.c_str(), 1);
        }
    }
    ForcedIsa(const ForcedIsa&) = delete;
    ForcedIsa& operator=(const ForcedIsa&) = delete;

private:
    std::string old_;
};

TEST_CASE("every table has its own name", "[dispatch]") {
    std::set<std::string> names;
    for (const kernels::IsaEntry& entry : kernels::all_isas()) {
        const kernels::KernelTable& table = *entry.table;
        CHECK(names.insert(table.name).second);
        CHECK(table.lanes >= 1);
        CHECK(table.block_vectors >= 1);
        CHECK(kernels::find_isa(table.name)->table == &table);
    }
    CHECK(std::string(kernels::all_isas().front().table->name) == "reference");
    CHECK(kernels::find_isa("nonsense") == nullptr);
}

TEST_CASE("a CPU without features gets the reference table", "[dispatch]") {
    CHECK(std::string(kernels::best_table(kernels::CpuFeatures{}).name) == "reference");
}

TEST_CASE("the best table is one that this CPU supports", "[dispatch]") {
    const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
    const kernels::KernelTable& best = kernels::best_table(cpu);
    CHECK(kernels::find_isa(best.name)->supported(cpu));
#if defined(__x86_64__)
    CHECK(cpu.sse2);
    CHECK(std::string(best.name) != "reference");
#elif defined(__aarch64__)
    CHECK(std::string(best.name) == (cpu.neon_dotprod ? "neondot" : "neon"));
#endif
    const kernels::CpuBrand brand = kernels::cpu_brand();
    CHECK(std::strlen(brand.text) < sizeof brand.text);
}

TEST_CASE("the table is chosen by name, then by environment, then by CPU", "[dispatch]") {
    {
        const ForcedIsa none("");
        const auto table = table_for("");
        REQUIRE(table.ok());
        CHECK(*table == &kernels::best_table(kernels::detect_cpu_features()));
    }
    const ForcedIsa reference("reference");
    const auto forced = table_for("");
    REQUIRE(forced.ok());
    CHECK(std::string((*forced)->name) == "reference");
    const std::string best = kernels::best_table(kernels::detect_cpu_features()).name;
    const auto named = table_for(best);
    REQUIRE(named.ok());
    CHECK((*named)->name == best);
    // Who is not asked by a user does not look at the environment.
    const auto unasked = select_table("");
    REQUIRE(unasked.ok());
    CHECK((*unasked)->name == best);
}

TEST_CASE("an unknown table is an error that lists what there is", "[dispatch]") {
    const auto table = select_table("avx1024");
    REQUIRE_FALSE(table.ok());
    CHECK(table.error().code == ErrorCode::unsupported);
    CHECK_THAT(table.error().message, contains("avx1024") && contains("reference"));
}

}  // namespace
}  // namespace lprnet::test
