"""Recipe of Conan 2 for a checkout: conan create scripts/packages/conan

What the engine is built with are headers alone, which the system has to have (README.md lists its packages); whoever
links the package needs none of them.
"""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain
from conan.tools.files import copy

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("CMakeLists.txt", "LICENSE", "engine/*", "kernels/*", "weights/*")


class Lprnet(ConanFile):
    name = "lprnet"
    description = "License plate recognition with LPRNet on CPUs, without a runtime"
    license = "Apache-2.0"
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}

    def set_version(self):
        header = (ROOT / "engine/include/lprnet/version.h").read_text(encoding="utf-8")
        self.version = re.search(r'LPRNET_VERSION "([0-9.]+)"', header)[1]

    def export_sources(self):
        for part in PARTS:
            copy(self, part, ROOT, self.export_sources_folder)

    def validate(self):
        check_min_cppstd(self, 20)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("CLI", "TESTS", "BENCH"):
            toolchain.cache_variables[f"LPRNET_BUILD_{part}"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # The package has CMake's own files, which say more than could be said here.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/lprnet"]
