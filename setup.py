"""Generates the protobuf stubs and takes the Envoy configurations along; all else stands in pyproject.toml."""

import shutil
from pathlib import Path

import grpc_tools
from grpc_tools import protoc
from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
OUT = ROOT / "extproc" / "edges" / "processor" / "pb"


class BuildStubs(build_py):
    def run(self):
        includes = Path(grpc_tools.__file__).parent / "_proto"
        status = protoc.main(
            [
                "protoc",
                f"-I{ROOT / 'protos'}",
                f"-I{includes}",
                f"--python_out={OUT}",
                f"--pyi_out={OUT}",
                "ext_proc.proto",
            ]
        )
        if status:
            raise SystemExit("protoc could not compile protos/ext_proc.proto")
        super().run()
        if not self.editable_mode:  # in a checkout `extproc up` reads them where they are
            shipped = Path(self.build_lib) / "extproc" / "demo" / "standalone"
            shipped.mkdir(parents=True, exist_ok=True)
            for configuration in (ROOT / "envoy" / "standalone").glob("*.yaml"):
                shutil.copy2(configuration, shipped)


setup(cmdclass={"build_py": BuildStubs})
