"""A project that uses the package: tests/consumer, as it uses the installed one."""

from pathlib import Path

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout

CONSUMER = Path(__file__).resolve().parents[4] / "tests/consumer"


class Consumer(ConanFile):
    settings = "os", "arch", "compiler", "build_type"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeToolchain(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure(build_script_folder=str(CONSUMER))
        cmake.build()

    def test(self):
        if can_run(self):
            self.run(str(Path(self.build_folder) / "consumer"), env="conanrun")
