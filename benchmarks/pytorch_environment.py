"""Environments in which PyTorch may be fastest on this processor, for the benchmarks that run it."""

import os
import pathlib


def processor_flags():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("flags", "Features")):
            return line.split()
    return []


def environments():
    """name -> environment, the user's own first. Tuned ones: BLAS threads that spin, memory kept, kernels named; Debian's default is
    two to three times slower. Whether PyTorch multiplies rightly in it has to be checked: old kernels do not on every new processor."""
    cores = len(os.sched_getaffinity(0))
    flags = processor_flags()
    found = {"default": dict(os.environ)}
    for core in [name for name, flag in (("SkylakeX", "avx512f"), ("Haswell", "avx2")) if flag in flags] or [None]:
        for threads in dict.fromkeys((cores, 1)):
            environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads),
                           "GOMP_SPINCOUNT": "1000", "OPENBLAS_THREAD_TIMEOUT": "10", "MALLOC_MMAP_THRESHOLD_": "4294967296",
                           "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456"}
            environment.pop("OPENBLAS_L2_SIZE", None)
            if core:
                environment |= {"OPENBLAS_CORETYPE": core, "ATEN_CPU_CAPABILITY": "avx512" if core == "SkylakeX" else "avx2"}
            found[f"{core or 'tuned'}, {threads} thread{'s' * (threads > 1)}"] = environment
    return found
