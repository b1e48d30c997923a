// The version of these headers, "major.minor.patch"; CMakeLists.txt reads it here.
#pragma once

#define LPRNET_VERSION "0.9.0"
