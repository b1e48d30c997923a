// Exit statuses of the program; every verb returns one of them.
#pragma once

namespace lprnet::cli {

enum ExitStatus {
    kDone = 0,
    kCheckFailed = 1,  // verify or --min-accuracy did not hold
    kWrongUsage = 2,
    kUnreadable = 3,  // an input could not be read, the others were processed; or a limit was met
};

}  // namespace lprnet::cli
