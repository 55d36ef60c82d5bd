#!/usr/bin/env python3
"""What benchmarks/scale, compare and phases make of figures: roofs, series, tables and phases. Measures nothing."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import types
import unittest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
sys.dont_write_bytecode = True


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(BENCHMARKS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


scale, compare, phases = load("scale"), load("compare"), load("phases")


def point(batch=10, madds=1e6, precision="f32", threads=2):
    return {"key": {"shape": scale.BASE | {"batch_size": batch}, "precision": precision, "threads": threads},
            "second_cache": 1 << 20, "last_cache": 32 << 20,
            "result": {"forward_multiply_adds": madds, "characters_per_second": 1000.0, "gflops": 6 * madds * 1000 / 1e9,
                       "roofs": {"multiply_adds": 200.0, "bf16_dots": 400.0, "cache_read": 100.0, "memory_read": 30.0}}}


class Roofs(unittest.TestCase):
    def test_products_bound_large_batches(self):
        self.assertAlmostEqual(scale.roof_seconds(point(batch=1000)), 6e6 / 200e9)
        self.assertAlmostEqual(scale.roof_seconds(point(batch=1000, precision="bf16")), 6e6 / 400e9)

    def test_reading_the_weights_twice_bounds_small_ones(self):
        own = 2 * (1 << 20)  # what a core keeps is not read again
        # 4 MB forward and backward for one character, from the last cache.
        self.assertAlmostEqual(scale.roof_seconds(point(batch=1)), (8e6 - own) / 100e9)
        self.assertAlmostEqual(scale.roof_seconds(point(batch=1, precision="bf16")), (4e6 - own) / 100e9)
        # 400 MB, from memory.
        self.assertAlmostEqual(scale.roof_seconds(point(batch=1, madds=1e8)), (8e8 - own) / 30e9)

    def test_what_stays_in_a_cores_own_cache_is_read_for_nothing(self):
        self.assertAlmostEqual(scale.roof_seconds(point(batch=1, madds=1e5)), 6e5 / 200e9)

    def test_intensity_grows_with_the_batch(self):
        self.assertAlmostEqual(scale.intensity(point(batch=10)), 7.5)
        self.assertAlmostEqual(scale.intensity(point(batch=10, precision="bf16")), 15)


class Sweeps(unittest.TestCase):
    def test_share_the_shape_they_begin_at(self):
        found = scale.shapes(["batch", "layers", "corpus"], quick=False)
        self.assertEqual(len(found), 8 + 4 - 1)
        self.assertIn(scale.BASE, found)

    def test_series_are_by_precision_and_threads(self):
        lines = [point(), point(threads=1), point(precision="bf16"), point(batch=20)]
        self.assertEqual([(p, t, len(points)) for p, t, points, _, _ in scale.series(lines)],
                         [("f32", 1, 1), ("f32", 2, 2), ("bf16", 2, 1)])


class Table(unittest.TestCase):
    def test_compares_each_precision(self):
        sides = {"rune f32": 0, "notebook": 0}
        entry = {"roofs": [{"multiply_adds": 200, "cache_read": 90, "memory_read": 30}] * 2, "sides": sides, "shared_core": True}
        rune = {"characters_per_second": 20000, "tuned": "lean, SkylakeX, 2 threads", "tuned_characters_per_second": 8000, "ratio": 2.5,
                "notebook_ratio": 5, "share_of_roof": 0.91, "resident_mb": 300, "tuned_resident_mb": 900}
        result = {"work": {"workload": "anna"}, "isa": "avx512", "threads": 2, "torch": "1.13", "notebook": 4000,
                  "rune": {"f32": rune, "bf16": rune | {"ratio": 5.0}}, "rounds": [entry]}
        text = compare.markdown([result], types.SimpleNamespace(rounds=3))
        self.assertIn("| anna | f32 | 20,000 | 4,000 | 8,000 | 2.50 | 5.00 | 0.91 | 300 MB | 900 MB |", text)
        self.assertIn("| anna | bf16 | 20,000 | 4,000 | 8,000 | 5.00 |", text)
        self.assertIn("| anna | bf16 | lean, SkylakeX, 2 threads |", text)
        self.assertIn("rounds repeated for a shared core: 1. No other rounds of anna: worth nothing.", text)
        self.assertIn("| memory read, GB/s | 30 | 30 | 30 |", text)

    def test_best_of_f32_leaves_bf16_out(self):
        peer = compare.Peer.__new__(compare.Peer)
        peer.tried = {("default", "whole"): 5, ("tuned", "lean"): 7, ("tuned", "bf16"): 9}
        self.assertEqual(peer.best("f32"), ("tuned", "lean"))
        self.assertEqual(peer.best("bf16"), ("tuned", "bf16"))


class Phases(unittest.TestCase):
    def test_of_stacks(self):
        script = """
            1 void rune::kernels::(anonymous namespace)::multiply_tile<float, 16, 6, 4>(rune::kernels::Tile<float> const&)
            2 void rune::kernels::(anonymous namespace)::stage_step<rune::kernels::Avx512, Lstm>(Product const&)
            3 rune::model::RecurrentLayer::forward(rune::model::DropoutMask const&) const

            1 void rune::kernels::(anonymous namespace)::multiply_tile<float, 16, 6, 4>(rune::kernels::Tile<float> const&)
            3 rune::model::RecurrentLayer::backward(rune::model::DropoutMask const&) const

            1 rune::ThreadTeam::barrier()
            2 rune::model::Network::gradients(rune::text::TokenBlock const&)

            1 float rune::kernels::(anonymous namespace)::multiply_add_chains<16>(unsigned long)
            2 rune::tools::multiply_add_peak(rune::ThreadTeam&)
        """.splitlines()
        self.assertEqual([phases.phase_of(stack) for stack in phases.stacks(line.strip() for line in script)],
                         ["forward: recurrent product", "backward: products", "waiting for other threads", None])


if __name__ == "__main__":
    unittest.main()
