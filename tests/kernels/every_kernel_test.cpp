// What holds for every row of kernels.inc on every table, by the examples of the rows.
#include <cmath>
#include <cstring>
#include <set>
#include <string>

#include "kernels/example.h"
#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

using kernels::Example;
using kernels::ExampleRow;
using kernels::KernelTable;

TEST_CASE("every kernel is complete on every table", "[every_kernel]") {
    std::set<std::string> names;
    for (const kernels::IsaEntry& entry : kernels::all_isas()) {
        const KernelTable& table = *entry.table;
        INFO(table.name);
        std::set<std::string> kernels;
#define LPRNET_KERNEL(folder, name, Call, elements)                                      \
    {                                                                                    \
        INFO(#name);                                                                     \
        CHECK(table.name != nullptr);                                                    \
        CHECK(reference_table().name != nullptr);                                        \
        CHECK((table.name == reference_table().name) == (&table == &reference_table())); \
        CHECK(kernels.insert(#name).second);                                             \
    }
#define LPRNET_TOOL LPRNET_KERNEL
#include "kernels/kernels.inc"
        CHECK(kernels.size() == kernels::all_examples().size());
        for (const ExampleRow& row : kernels::all_examples()) CHECK(kernels.count(row.name) == 1);
    }
}

std::vector<double> result_of(Example& example, int parts) {
    for (int part = 0; part < parts; ++part) example.run({part, parts});
    CHECK(example.memory.guards_intact());
    return example.result();
}

TEST_CASE("every kernel computes its example as the reference does", "[kernels]") {
    for (const ExampleRow& row : kernels::all_examples()) {
        Example reference = row.make(reference_table());
        const std::vector<double> expected = result_of(reference, 1);
        // An example with one result everywhere could not tell a kernel from one that does nothing.
        const std::set<double> different(expected.begin(), expected.end());
        CHECK((row.tool || different.size() > 5));
        for (const KernelTable* table : tables_under_test()) {
            INFO(row.name << " " << table->name);
            Example example = row.make(*table);
            const std::vector<double> found = result_of(example, 1);
            REQUIRE(found.size() == expected.size());
            for (std::size_t i = 0; i < found.size(); ++i) {
                if (!(std::abs(found[i] - expected[i]) <= example.tolerance)) {
                    FAIL("number " << i << " is " << found[i] << ", expected " << expected[i]
                                   << " within " << example.tolerance);
                }
            }
        }
    }
}

TEST_CASE("the parts of every kernel's example make the bits of the whole", "[kernels]") {
    for (const ExampleRow& row : kernels::all_examples()) {
        for (const KernelTable* table : tables_under_test()) {
            Example example = row.make(*table);
            const std::vector<double> whole = result_of(example, 1);
            for (const int parts : {2, 3, 7, 64}) {
                INFO(row.name << " " << table->name << " in " << parts << " parts");
                Example divided = row.make(*table);
                const std::vector<double> found = result_of(divided, parts);
                REQUIRE(found.size() == whole.size());
                CHECK(std::memcmp(found.data(), whole.data(), whole.size() * sizeof(double)) == 0);
            }
        }
    }
}

}  // namespace
}  // namespace lprnet::test
