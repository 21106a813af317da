"""llama.cpp as a peer (protocol.py), through the C functions that llama-cpp-python exposes.

    worker_llama_cpp.py MODEL.gguf THREADS CONTEXT
"""

import sys
import time

import llama_cpp
import numpy as np
import protocol


class LlamaCpp:
    def __init__(self, path, threads, context_tokens):
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch = context_tokens, context_tokens
        params.n_threads = params.n_threads_batch = threads
        self.context = self.model and llama_cpp.llama_init_from_model(self.model, params)
        if not self.context:
            sys.exit(f"llama.cpp cannot load {path}")
        self.memory = llama_cpp.llama_get_memory(self.context)
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.batch = llama_cpp.llama_batch_init(context_tokens, 0, 1)
        self.cached = 0  # tokens of the common prompt that the cache holds
        head = llama_cpp.llama_model_n_embd(self.model) // llama_cpp.llama_model_n_head(self.model)
        per_layer = 2 * llama_cpp.llama_model_n_head_kv(self.model) * head
        self.info = {"weight_bytes": llama_cpp.llama_model_size(self.model),
                     "kv_bytes_per_token": llama_cpp.llama_model_n_layer(self.model) * per_layer * 2}  # fp16

    def step(self, tokens, position):
        """Adds tokens at a position and returns the most likely next one."""
        batch = self.batch
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i] = token, position + i
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
            batch.logits[i] = i == len(tokens) - 1
        if llama_cpp.llama_decode(self.context, batch) != 0:
            sys.exit(f"llama_decode failed at position {position}")
        logits = llama_cpp.llama_get_logits_ith(self.context, len(tokens) - 1)
        return int(np.ctypeslib.as_array(logits, (self.vocabulary,)).argmax())

    def hold(self, count):
        """Brings the cache to the first `count` tokens of the prompt; the most likely next one, if a step was needed."""
        if self.cached > count - 1:
            self.cached = count - 1  # one step at least, to know the next token
        llama_cpp.llama_memory_seq_rm(self.memory, 0, self.cached, -1)
        following = self.step(protocol.prompt(count)[self.cached:], self.cached)
        self.cached = count
        return following

    def prefill(self, n):
        llama_cpp.llama_memory_clear(self.memory, True)
        tokens = protocol.prompt(n)
        begin = time.perf_counter()
        argmax = self.step(tokens, 0)
        self.cached = n
        return time.perf_counter() - begin, argmax

    def decode(self, ctx, new):
        token = self.hold(ctx)
        begin = time.perf_counter()
        for position in range(ctx, ctx + new):
            token = self.step([token], position)
        return time.perf_counter() - begin, token

    def keystroke(self, ctx, add, count):
        self.hold(ctx)
        tokens, seconds, argmax = protocol.prompt(ctx + add * count), [], 0
        for at in range(ctx, ctx + add * count, add):
            begin = time.perf_counter()
            argmax = self.step(tokens[at:at + add], at)
            seconds.append(time.perf_counter() - begin)
        self.cached = len(tokens)
        return seconds, argmax


if __name__ == "__main__":
    protocol.serve(lambda: LlamaCpp(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
