"""OpenVINO GenAI as a peer (protocol.py), with its defaults: paged attention, u8 cache, prefix cache.

    worker_openvino.py FOLDER THREADS
"""

import json
import pathlib
import sys
import time

import numpy as np
import openvino as ov
import openvino_genai as genai
import protocol


class Clock(genai.StreamerBase):
    """Notes when each token came."""

    def __init__(self):
        super().__init__()
        self.times = []

    def write(self, token):
        now = time.perf_counter()
        self.times += [now] * (len(token) if isinstance(token, list) else 1)
        return genai.StreamingStatus.RUNNING

    def end(self):
        pass


class OpenVino:
    def __init__(self, folder, threads):
        # Naming a SchedulerConfig would turn the prefix cache off.
        self.pipeline = genai.LLMPipeline(folder, "CPU", INFERENCE_NUM_THREADS=threads)
        self.colds = 0
        config = json.loads((pathlib.Path(folder) / "config.json").read_text())
        head = config["hidden_size"] // config["num_attention_heads"]
        weights = (pathlib.Path(folder) / "openvino_model.bin").stat().st_size
        self.info = {"weight_bytes": weights, "kv_bytes_per_token":
                     config["num_hidden_layers"] * 2 * config["num_key_value_heads"] * head}  # u8, less its scales

    def generate(self, tokens, new):
        """The last token, when it was asked for and when each came."""
        config = genai.GenerationConfig(max_new_tokens=new, ignore_eos=True, do_sample=False,
                                        apply_chat_template=False)
        clock, ids = Clock(), ov.Tensor(np.array([tokens], dtype=np.int64))
        begin = time.perf_counter()
        result = self.pipeline.generate(ids, config, clock)
        return result.tokens[0][-1], begin, clock.times

    def prefill(self, n):
        # Another first token each time: the prefix cache cannot be emptied, and must not help here.
        self.colds += 1
        argmax, begin, times = self.generate([self.colds, *protocol.prompt(n)[1:]], 1)
        return times[0] - begin, argmax

    def decode(self, ctx, new):
        argmax, _, times = self.generate(protocol.prompt(ctx), new + 1)
        return times[-1] - times[0], argmax

    def keystroke(self, ctx, add, count):
        self.generate(protocol.prompt(ctx), 1)
        tokens, seconds, argmax = protocol.prompt(ctx + add * count), [], 0
        for at in range(ctx + add, ctx + add * count + 1, add):
            argmax, begin, times = self.generate(tokens[:at], 1)
            seconds.append(times[0] - begin)
        return seconds, argmax


if __name__ == "__main__":
    protocol.serve(lambda: OpenVino(sys.argv[1], int(sys.argv[2])))
