"""Turn this machine into the three numbers that decide how well a model runs here: memory, cores, memory bandwidth.

Generating is bound by bandwidth: every weight is read once for every token. The bandwidth is measured by copying, in as
many threads as there are cores, for two seconds; `EFFICIENCY` says what llama.cpp reaches of it, until a real model has
run here and shown it.
"""

import ctypes
import platform
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil

from fimserver.models.calibration import Rates, measured_rates
from fimserver.models.cost import Cost, bytes_per_token
from fimserver.models.gpu import gpu_backend


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a model finds here. `rates` are those that a real model has shown, once one has run."""

    memory_bytes: int
    available_bytes: int
    cores: int  # physical ones that this process may use
    bandwidth_bytes_per_s: float
    rates: Rates = Rates()
    gpu: bool = False  # llama.cpp evaluates prompts on a GPU that shares this memory
    other_gpu: str = ""  # what it computes with on a GPU that has a memory of its own

    @property
    def usable_bytes(self) -> int:
        """Return the memory a model may take."""
        return _usable(self.available_bytes)


# The share of the bandwidth that llama.cpp reads weights with: 0.60 to 0.75 on GPUs and on Apple's chips (a DGX Spark
# of 273 GB/s writes 61 tokens a second of Qwen3-30B-A3B at Q8_0). It is less where cores are few, for then computing
# takes as long as reading; a model that has run here says how much.
EFFICIENCY = 0.65

_PROBE_S = 2.0
_CACHE_DEFEATING_BYTES = 64 * 1024 * 1024  # per thread: more than a core's share of the last cache


def this_machine(probe_s: float = _PROBE_S) -> Machine:
    """Measure this machine. Takes `probe_s` seconds, and 128 MiB for each core meanwhile."""
    cores, backend = usable_cores(), gpu_backend()
    shares_memory = backend == "Metal" and platform.machine() == "arm64"
    return Machine(
        memory_bytes=min(psutil.virtual_memory().total, _container_limit()),
        available_bytes=_available_bytes(),
        cores=cores,
        bandwidth_bytes_per_s=copy_bandwidth(cores, probe_s),
        rates=measured_rates(),
        gpu=shares_memory,
        other_gpu="" if shares_memory else backend,
    )


def tokens_per_s(cost: Cost, machine: Machine, context_tokens: int = 2048) -> float:
    """Return how many tokens a second the model will generate behind so many others."""
    rate = machine.rates.decode_bytes_per_s or machine.bandwidth_bytes_per_s * EFFICIENCY
    return rate / max(1, bytes_per_token(cost, context_tokens))


# Evaluating a prompt is bound by computing. Two cores with AVX-512 evaluate 82 to 89 tokens a second of 1.54 billion
# weights at Q4_K_M; cores without it reach about half.
_WEIGHTS_TIMES_TOKENS_PER_CORE_S = 65e9


def prompt_tokens_per_s(cost: Cost, machine: Machine) -> float:
    """Return how many tokens of a prompt a second the model will evaluate."""
    if machine.gpu:
        return float("inf")
    rate = machine.rates.prompt_weights_per_s or machine.cores * _WEIGHTS_TIMES_TOKENS_PER_CORE_S
    return rate / max(1, cost.active_weights)


def copy_bandwidth(threads: int, seconds: float) -> float:
    """Return the bytes read and written a second when so many threads copy large blocks at once."""
    copied = [0] * threads
    together = threading.Barrier(threads + 1)
    until = [0.0]

    def copy(number: int) -> None:
        source, target = (ctypes.create_string_buffer(_CACHE_DEFEATING_BYTES) for _ in range(2))
        ctypes.memset(source, number, _CACHE_DEFEATING_BYTES)  # pages that were never written are not read from memory
        ctypes.memset(target, number, _CACHE_DEFEATING_BYTES)
        together.wait()
        together.wait()
        while not copied[number] or time.perf_counter() < until[0]:  # once at least, however late its turn comes
            ctypes.memmove(target, source, _CACHE_DEFEATING_BYTES)  # lets other threads run
            copied[number] += _CACHE_DEFEATING_BYTES

    workers = [threading.Thread(target=copy, args=(number,), daemon=True) for number in range(threads)]
    for worker in workers:
        worker.start()
    together.wait()  # all have their memory
    began = time.perf_counter()
    until[0] = began + seconds
    together.wait()
    for worker in workers:
        worker.join()
    return 2 * sum(copied) / (time.perf_counter() - began)


def usable_cores() -> int:
    """Return the number of physical cores this process may use."""
    physical = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    allowed = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else physical
    return max(1, min(physical, allowed, _container_cores()))


def resident_bytes(process: int) -> int:
    """Return the memory a process holds now, mapped files included; 0 where it is gone."""
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return 0


def processor_s(process: int) -> float:
    """Return the processor time a process has used so far; 0 where it is gone."""
    try:
        times = psutil.Process(process).cpu_times()
        return float(times.user + times.system)
    except psutil.Error:
        return 0.0


def usable_bytes() -> int:
    """Return the memory that models may take here and now."""
    return _usable(_available_bytes())


def _usable(available_bytes: int) -> int:
    """Return three quarters of what is free, for the editor needs some too."""
    return available_bytes * 3 // 4


# Somebody who pulls the plug does not do so twice a minute.
_BATTERY_KNOWN_S = 30.0


def on_battery() -> bool:
    """Return whether this machine runs on its battery, as it was known half a minute ago at most."""
    return _battery_in_use(int(time.monotonic() / _BATTERY_KNOWN_S))


@lru_cache(maxsize=1)
def _battery_in_use(_half_minute: int) -> bool:
    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except (OSError, ValueError, psutil.Error):  # a driver that tells what is no number, or nothing
        return False
    return battery is not None and battery.power_plugged is False


_CGROUP = Path("/sys/fs/cgroup")
_NO_LIMIT = 2**62


def _available_bytes() -> int:
    """Return the memory that is free, of the machine or of the container we are in, whichever is less."""
    used = _cgroup_number("memory.current")
    left = _container_limit() - used if used is not None else _NO_LIMIT
    return max(0, min(psutil.virtual_memory().available, left))


def _container_limit() -> int:
    limit = _cgroup_number("memory.max")
    return _NO_LIMIT if limit is None else limit


def _container_cores() -> int:
    try:
        quota, period = (_CGROUP / "cpu.max").read_text("ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # not Linux, no container, or "max"
        return _NO_LIMIT


def _cgroup_number(name: str) -> int | None:
    try:
        return int((_CGROUP / name).read_text("ascii"))
    except (OSError, ValueError):  # not Linux, no container, or "max"
        return None
