"""Generates the protobuf stubs at build time; everything else stands in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
OUT = ROOT / "extproc" / "edges" / "processor" / "pb"


class BuildStubs(build_py):
    def run(self):
        import grpc_tools
        from grpc_tools import protoc

        includes = Path(grpc_tools.__file__).parent / "_proto"
        status = protoc.main(
            ["protoc", f"-I{ROOT / 'protos'}", f"-I{includes}", f"--python_out={OUT}", f"--pyi_out={OUT}", "ext_proc.proto"]
        )
        if status:
            raise SystemExit("protoc could not compile protos/ext_proc.proto")
        super().run()


setup(cmdclass={"build_py": BuildStubs})
