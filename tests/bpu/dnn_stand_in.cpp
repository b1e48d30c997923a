// A test double. This is NOT the runtime of any board: it has the functions of libdnn and answers
// from lprnet's own CPU engine, so that the adapter for RDK X5 can be tested where there is no BPU.
// It knows nothing of the real library but what its public documentation says, and where that is
// silent it takes the strict side:
//
//   - a .bin is one of our weights files;
//   - each loaded model has one thread, its BPU, which runs one task after the other;
//   - memory has two sides, the CPU's and the BPU's, and only hbSysFlushMem copies between them;
//   - every call is checked, and what breaks the rules is counted as a misuse.
//
// dnn_stand_in.h tells what can be set.
#include "tests/bpu/dnn_stand_in.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/bpu/dnn_abi.h"
#include "engine/model/model_data.h"
#include "engine/plan/tensor_elements.h"
#include "engine/run/recognizer_state.h"
#include "lprnet/recognizer.h"

namespace {

using namespace lprnet;
using namespace lprnet::bpu::abi;
using lprnet::test::StandInCounts;

constexpr std::int32_t kInvalidArgument = -6000001;
constexpr std::int32_t kInvalidModel = -6000002;
constexpr std::int32_t kInvalidPacked = -6000004;
constexpr std::int32_t kInvalidModelHandle = -6000005;
constexpr std::int32_t kCannotOpen = -6000006;
constexpr std::int32_t kTimeout = -6000008;
constexpr std::int32_t kTooManyTasks = -6000009;
constexpr std::int32_t kInvalidTask = -6000011;
constexpr std::int32_t kUseError = -6000015;
constexpr std::int32_t kSysInvalidArgument = -6000129;

// --- Settings ---------------------------------------------------------------------------------

struct Failure {
    std::string function;
    std::int32_t code;
    int at;  // 0: always
    int calls = 0;
};

struct Settings {
    std::map<std::string, std::string> words;
    std::vector<Failure> failures;

    explicit Settings(const std::string& text = "") {
        std::istringstream stream(text);
        for (std::string word; stream >> word;) {
            const std::size_t equals = word.find('=');
            const std::string key = word.substr(0, equals);
            const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
            if (key != "fail") {
                words[key] = value;
                continue;
            }
            std::istringstream parts(value);
            Failure failure{};
            std::getline(parts, failure.function, ':');
            char colon;
            parts >> failure.code >> colon >> failure.at;
            failures.push_back(failure);
        }
    }
    std::string get(const std::string& key, const std::string& otherwise) const {
        const auto found = words.find(key);
        return found != words.end() ? found->second : otherwise;
    }
    int number(const std::string& key, int otherwise = 0) const {
        const auto found = words.find(key);
        return found != words.end() ? std::atoi(found->second.c_str()) : otherwise;
    }
    bool is(const std::string& key, const std::string& value) const { return get(key, "") == value; }
};

// --- What there is ----------------------------------------------------------------------------

struct Block {
    std::vector<std::byte> cpu;
    std::vector<std::byte> bpu;
};

struct Packed;

struct Task {
    enum class State { unused, waiting, running, done };
    State state = State::unused;
    bool released = false;
    Packed* packed = nullptr;
    hbDNNTensorArray* dummy = nullptr;
    Tensor input = {};
    Tensor outputs[4] = {};
};

// A tensor that is described by properties: its numbers in PyTorch's order, [c][h][w].
struct Described {
    std::string name;
    Shape shape;
    TensorProperties properties = {};
    std::vector<int> axis;  // of each dimension: 0 c, 1 h, 2 w, 3 c and w in one, -1 none
    std::vector<float> scales;
    std::vector<std::int8_t> zero_points;
    std::vector<std::uint8_t> shifts;
};

struct Packed {
    Packed(Model loaded, Recognizer with) : model(std::move(loaded)), recognizer(std::move(with)) {}

    Model model;
    Recognizer recognizer;  // the thread's own
    std::vector<Described> inputs, outputs;
    const char* name = "stand-in";
    std::deque<Task*> queue;
    bool stop = false;
    std::thread bpu;
};

struct World {
    std::mutex mutex;
    std::condition_variable changed;
    Settings settings{std::getenv("LPRNET_STAND_IN") != nullptr ? std::getenv("LPRNET_STAND_IN")
                                                                : ""};
    void (*edit)(void*, bool, int) = nullptr;
    StandInCounts counts;
    std::string misuse;
    int hangs = 0;
    std::map<void*, std::unique_ptr<Block>> blocks;  // by the CPU's address
    std::map<void*, std::unique_ptr<Packed>> packed;
    Task tasks[kMostTasks];
};

World& world() {
    static World it;
    return it;
}

void misuse(World& w, const std::string& what) {
    if (w.counts.misuses++ == 0) w.misuse = what;
}

// Counts the call; what it was told to return, or 0.
std::int32_t entered(World& w, const char* function) {
    ++w.counts.calls;
    for (Failure& failure : w.settings.failures) {
        if (failure.function != function) continue;
        ++failure.calls;
        if (failure.at == 0 || failure.calls == failure.at) return failure.code;
    }
    return 0;
}

}  // namespace
