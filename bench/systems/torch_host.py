"""Training steps of SAM's encoder as published, in PyTorch on this processor: one for each line that is read.

Prints a line of JSON of what computes, then one with the loss after each step.

    python3 torch_host.py --config JSON --adapter lora|conv-lora --threads N
"""

import argparse
import json
import os
import re
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "gpu"))
from torch_times import training_step  # noqa: E402


def libraries():
    """The file of the library that multiplies matrices: what the system calls BLAS may be any."""
    try:
        with open("/proc/self/maps") as maps:
            paths = {line.split()[-1] for line in maps if re.search(r"blas|mkl", line)}
    except OSError:
        return "unknown"
    return ", ".join(sorted({os.path.basename(os.path.dirname(os.path.realpath(p))) for p in paths}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    parser.add_argument("--adapter", required=True, choices=["lora", "conv-lora"])
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    config = json.loads(args.config)
    step = training_step(config, args.adapter, "cpu")
    built = [line.strip(" -") for line in torch.__config__.show().splitlines()[1:]]
    settings = [line for line in built if not line.startswith("Build settings")]
    facts = [f"PyTorch {torch.__version__}", f"BLAS {libraries()}", *settings]
    print(json.dumps({"facts": "; ".join(facts)}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"loss": float(step())}), flush=True)


if __name__ == "__main__":
    main()
