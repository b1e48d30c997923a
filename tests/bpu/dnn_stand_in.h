// What a test tells the stand-in for libdnn, and what it can ask of it.
#pragma once

namespace lprnet::test {

// Settings are words KEY=VALUE between spaces; those of a program are in LPRNET_STAND_IN.
//
//   form=whole|split         the logits, or the four branches of the context
//   input=f32|s8|s16|nv12|nv12_separate|rgb|bgr|y
//   output=f32|s8|u8|s16|u16|s32
//   quant=scale|shift|channel  of integers; channel: a scale for each
//   input_layout=nchw|nhwc   output_layout=nchw|nhwc, of branches
//   range=video|full         of NV12
//   shape=1xCxT              of logits: C classes, T steps, CT both in one; numbers
//   pad=N                    the last dimension is aligned to N elements
//   strides=told|zero        zero: only the aligned shape tells where things are
//   names=other              branches are called other0, other1, ...
//   order=reversed           branch3 is the first output
//   models=N inputs=N outputs=N  are reported, whatever there is
//   version=TEXT|null        of the library
//   delay=MS                 of every task, or with delays=N of the first N
//   hang=N                   the first N tasks never end
//   idle=1                   tasks compute nothing, and so allocate nothing
//   no_task=1                hbDNNInfer succeeds without a task
//   task_on_failure=1        hbDNNInfer leaves a task behind when it is told to fail
//   null_memory=1            hbSysAllocCachedMem succeeds without memory
//   null_names=1             names are null
//   fail=FUNCTION:CODE[:N]   FUNCTION returns CODE, always or the N-th time; may be
//                            repeated. What gives something back does so first
struct StandInCounts {
    int models = 0;      // loaded
    int tasks = 0;       // not released
    int blocks = 0;      // of memory
    int most_tasks = 0;  // at once
    int calls = 0;       // of all functions
    int misuses = 0;     // calls that break the interface's rules
};

// Names of the functions that a test looks up in the library; all with C linkage.
using StandInReset = void(const char* settings);  // counts too; nothing may be alive
using StandInGet = void(StandInCounts* counts);
using StandInMisuse = const char*();  // what the first one was
// Called with hbDNNTensorProperties of each tensor when a model is loaded; null for none.
using StandInEdit = void(void (*edit)(void* properties, bool output, int index));

}  // namespace lprnet::test
