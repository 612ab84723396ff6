"""Turn a GPU that is seen here, and that llama.cpp was not built for, into the command that builds it so.

The options are llama-cpp-python's own. Nothing is loaded and no driver is asked: a sign of the hardware is enough.
"""

import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fimserver.cli.installing import build_llama_again
from fimserver.models.gpu import gpu_backend

# PCI vendors whose GPUs Vulkan is for, as Linux names them.
_VULKAN_VENDORS = {"0x1002": "AMD", "0x8086": "Intel"}


class Build(NamedTuple):
    """A build for a kind of GPU: its name, its option, what it needs, and what is seen of such a GPU below a root."""

    name: str
    option: str
    needs: str
    seen: Callable[[Path], str]


def gpu_hint(root: Path = Path("/")) -> tuple[str, str]:
    """Return what is seen and used of GPUs, and the command that would use more; empty where there is none."""
    backend = gpu_backend()
    if backend:
        return f"llama.cpp is built for {backend}", ""
    for build in BUILDS:
        if gpu := build.seen(root):
            said = f"{gpu}, which this build of llama.cpp does not use. With {build.needs}, one for {build.name}"
            return said, build_llama_again(f"{build.option}=on")
    return "none seen; the processor computes", ""


def _nvidia(root: Path) -> str:
    there = shutil.which("nvidia-smi") or (root / "proc/driver/nvidia/version").exists()
    return "an NVIDIA GPU" if there else ""


def _apple(_root: Path) -> str:
    return "Apple's GPU" if (platform.system(), platform.machine()) == ("Darwin", "arm64") else ""


def _other(root: Path) -> str:
    vendors = {_line(path) for path in (root / "sys/class/drm").glob("card*/device/vendor")}
    names = [name for number, name in _VULKAN_VENDORS.items() if number in vendors]
    return f"a GPU of {' and '.join(names)}" if names else ""


def _line(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


BUILDS = (
    Build("CUDA", "-DGGML_CUDA", "the CUDA toolkit (nvcc)", _nvidia),
    Build("Metal", "-DGGML_METAL", "Xcode's command line tools", _apple),
    Build("Vulkan", "-DGGML_VULKAN", "the Vulkan SDK (glslc)", _other),
)
