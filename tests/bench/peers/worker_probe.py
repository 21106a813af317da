"""What the machine gives at this moment: memory read by two threads, and dense products of PyTorch. {"op": "probe"} as a
request (protocol.py), answered with {"s": [GB/s, fp32 GFLOP/s, int8 GOP/s], ...}.

    worker_probe.py THREADS
"""

import sys
import time

import protocol
import torch

BYTES = 256 << 20
SIZE = 1024  # of the square matrices


def fastest(function, tries):
    times = []
    for _ in range(tries):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


class Probe:
    info = {}

    def __init__(self, threads):
        torch.set_num_threads(threads)
        self.memory = torch.ones(BYTES // 4)
        self.floats = torch.rand(SIZE, SIZE)
        self.bytes = torch.quantize_per_tensor(torch.rand(SIZE, SIZE), 0.01, 0, torch.quint8)
        weight = torch.quantize_per_tensor(torch.rand(SIZE, SIZE) - 0.5, 0.01, 0, torch.qint8)
        self.packed = torch.ops.quantized.linear_prepack(weight, None)

    def probe(self):
        operations = 2 * SIZE**3 / 1e9
        return [BYTES / 1e9 / fastest(self.memory.sum, 4),
                operations / fastest(lambda: self.floats @ self.floats, 4),
                operations / fastest(lambda: torch.ops.quantized.linear(self.bytes, self.packed, 0.1, 0), 4)], 0


if __name__ == "__main__":
    protocol.serve(lambda: Probe(int(sys.argv[1])))
