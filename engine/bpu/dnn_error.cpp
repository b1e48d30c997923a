#include "engine/bpu/dnn_error.h"

namespace lprnet::bpu {
namespace {

struct Code {
    std::int32_t code;
    const char* name;
    ErrorCode error = ErrorCode::device_failed;
    const char* advice = "";
};

constexpr Code kCodes[] = {
    {-6000001, "HB_DNN_INVALID_ARGUMENT"},
    {-6000002, "HB_DNN_INVALID_MODEL", ErrorCode::malformed,
     "; expected a .bin written by hb_mapper"},
    {-6000003, "HB_DNN_MODEL_NUMBER_EXCEED_LIMIT"},
    {-6000004, "HB_DNN_INVALID_PACKED_DNN_HANDLE"},
    {-6000005, "HB_DNN_INVALID_DNN_HANDLE"},
    {-6000006, "HB_DNN_CAN_NOT_OPEN_FILE", ErrorCode::not_found},
    {-6000007, "HB_DNN_OUT_OF_MEMORY", ErrorCode::out_of_memory},
    {-6000008, "HB_DNN_TIMEOUT", ErrorCode::timed_out},
    {-6000009, "HB_DNN_TASK_NUM_EXCEED_LIMIT", ErrorCode::device_failed,
     "; at most 32 frames can be on the way, over all recognizers"},
    {-6000010, "HB_DNN_TASK_BATCH_SIZE_EXCEED_LIMIT"},
    {-6000011, "HB_DNN_INVALID_TASK_HANDLE"},
    // Seen where a .bin was compiled for another chip, which is noticed only when it runs.
    {-6000012, "HB_DNN_RUN_TASK_FAILED", ErrorCode::device_failed,
     "; was the .bin compiled with march bayes-e?"},
    {-6000013, "HB_DNN_MODEL_IS_RUNNING"},
    {-6000014, "HB_DNN_INCOMPATIBLE_MODEL", ErrorCode::mismatch,
     "; was the .bin compiled with march bayes-e?"},
    {-6000015, "HB_DNN_API_USE_ERROR"},
    {-6000016, "HB_DNN_MULTI_PROGRESS_USE_ERROR"},
    {-6000129, "HB_SYS_INVALID_ARGUMENT"},
    {-6000130, "HB_SYS_OUT_OF_MEMORY", ErrorCode::out_of_memory},
    {-6000131, "HB_SYS_REGISTER_MEM_FAILED"},
};

const Code* find(std::int32_t code) {
    for (const Code& known : kCodes)
        if (known.code == code) return &known;
    return nullptr;
}

}  // namespace

std::string code_name(std::int32_t code) {
    const Code* known = find(code);
    if (known == nullptr) return "code " + std::to_string(code);
    return std::string(known->name) + " (" + std::to_string(code) + ")";
}

Error call_error(const std::string& what, const char* call, std::int32_t code) {
    const Code* known = find(code);
    return {known != nullptr ? known->error : ErrorCode::device_failed,
            what + ": " + call + " returned " + code_name(code) +
                (known != nullptr ? known->advice : "")};
}

}  // namespace lprnet::bpu
