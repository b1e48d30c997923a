// The contents of a Model: what a weights file says, checked and ready to plan.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/image/preprocess.h"
#include "engine/model/architecture.h"
#include "engine/model/graph.h"
#include "lprnet/error.h"

namespace lprnet {

namespace weights {
class SafetensorsFile;
}

// What a file with a spatial transformer says of it.
inline constexpr std::string_view kTransformerKey = "lprnet.transformer";

struct ModelData {
    std::string name;
    std::string source;
    std::string architecture;
    std::vector<std::string> charset;
    int blank = 0;
    double temperature = 1.0;
    Preprocess preprocess;
    Graph graph;
    std::size_t parameters = 0;
};

// Metadata and tensors of an opened file; `name` as for Model::name(). With `borrow` weights
// that lie aligned in the file's bytes stay there: the bytes must then outlive every copy.
// `known` are the architectures that the file may name, the first one being that of a file which
// names none.
Result<ModelData> read_model(const weights::SafetensorsFile& file, std::string name,
                             bool borrow = false,
                             std::span<const Architecture> known = architectures());

// That network with the shapes that the tensors of `file` have, for an input of that shape.
Result<Graph> build_network(const Architecture& architecture, const weights::SafetensorsFile& file,
                            const std::string& name, Shape input, bool borrow);

}  // namespace lprnet
