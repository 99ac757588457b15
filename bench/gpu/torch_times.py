"""PyTorch beside us: the same products, attentions, encoders and training steps on the same GPU.

Prints lines of JSON as our own parts do: the items there are, which begins and ends, and times. SAM's
encoder is written as published (segment-anything), so is Conv-LoRA (autogluon): maps are sent to
experts by index, enlarged, convolved and reduced one expert after another. "SDPA" is the encoder with
PyTorch's fused attention instead, relative positions as its mask.

    python3 torch_times.py --problems JSON --group products|eager|compiled [--skip N] [--device cpu]
"""

import argparse
import json
import math
import os
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def say(kind, **facts):
    # One write: a crash behind it loses nothing.
    os.write(1, (json.dumps({"type": kind, **facts}) + "\n").encode())


# SAM's image encoder


class Attention(nn.Module):
    def __init__(self, dim, heads, grid, fused):
        super().__init__()
        self.heads, self.grid, self.fused = heads, grid, fused
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.rel_pos_h = nn.Parameter(torch.randn(2 * grid - 1, dim // heads) * 0.1)
        self.rel_pos_w = nn.Parameter(torch.randn(2 * grid - 1, dim // heads) * 0.1)

    def forward(self, x):
        b, h, w, _ = x.shape
        qkv = self.qkv(x).reshape(b, h * w, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = attend(*qkv.unbind(0), self.rel_pos_h, self.rel_pos_w, self.grid, self.fused)
        return self.proj(y.permute(0, 2, 1, 3).reshape(b, h, w, -1))


def attend(q, k, v, rel_h, rel_w, grid, fused):
    """Queries, keys and values [maps, heads, grid * grid, depth], tables [2 * grid - 1, depth]."""
    maps, heads, tokens, depth = q.shape
    at = torch.arange(grid, device=q.device)
    offsets = at[:, None] - at[None, :] + grid - 1
    square = q.reshape(maps * heads, grid, grid, depth)
    by_row = torch.einsum("bhwc,hkc->bhwk", square, rel_h[offsets])
    by_column = torch.einsum("bhwc,wkc->bhwk", square, rel_w[offsets])
    bias = (by_row[..., :, None] + by_column[..., None, :]).reshape(maps, heads, tokens, tokens)
    if fused:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    scores = (q * depth**-0.5) @ k.transpose(-2, -1) + bias
    return scores.softmax(dim=-1) @ v


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, grid, window, fused):
        super().__init__()
        self.window = window
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads, window or grid, fused)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, x):
        y = self.norm1(x)
        if self.window:
            y = unpartition(self.attn(partition(y, self.window)), self.window, x.shape)
        else:
            y = self.attn(y)
        x = x + y
        return x + self.mlp(self.norm2(x))


def partition(x, size):
    b, h, w, c = x.shape
    x = F.pad(x, (0, 0, 0, -w % size, 0, -h % size))
    x = x.view(b, x.shape[1] // size, size, x.shape[2] // size, size, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size, size, c)


def unpartition(windows, size, shape):
    b, h, w, c = shape
    rows, columns = math.ceil(h / size), math.ceil(w / size)
    x = windows.view(b, rows, columns, size, size, c).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(b, rows * size, columns * size, c)[:, :h, :w, :].contiguous()


class Norm2d(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class Encoder(nn.Module):
    def __init__(self, config, fused=False):
        super().__init__()
        dim, patch = config["embedDim"], config["patchSize"]
        grid = config["imageSize"] // patch
        self.patches = nn.Conv2d(3, dim, patch, patch)
        self.positions = nn.Parameter(torch.randn(1, grid, grid, dim) * 0.1)
        self.blocks = nn.ModuleList(
            Block(
                dim,
                config["numHeads"],
                int(dim * config["mlpRatio"]),
                grid,
                0 if i in config["globalAttnIndexes"] else config["windowSize"],
                fused,
            )
            for i in range(config["depth"])
        )
        out = config["outChans"]
        self.neck = nn.Sequential(
            nn.Conv2d(dim, out, 1, bias=False),
            Norm2d(out),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            Norm2d(out),
        )

    def forward(self, image):
        x = self.patches(image).permute(0, 2, 3, 1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.neck(x.permute(0, 3, 1, 2))


# Adapters, in place of the qkv of every block


class Lora(nn.Module):
    def __init__(self, base, rank, alpha=32):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.lora_A = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.lora_B = nn.Parameter(torch.randn(base.out_features, rank) * 0.01)

    def forward(self, x):
        return self.base(x) + F.linear(F.linear(x, self.lora_A), self.lora_B) * self.scale


class ConvLora(nn.Module):
    """Maps [maps, height, width, channels]; each is seen by the expert that its mean chooses."""

    def __init__(self, base, rank=3, alpha=32, experts=8):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.lora_A = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.lora_B = nn.Parameter(torch.randn(base.out_features, rank) * 0.01)
        self.w_gate = nn.Parameter(torch.randn(rank, experts) * 0.1)
        self.w_noise = nn.Parameter(torch.zeros(rank, experts))
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Conv2d(rank, rank, 3, padding=1), nn.GELU()) for _ in range(experts)
        )
        self.moe_loss = None

    def gate(self, z):
        pooled = z.mean((1, 2))
        clean = noisy = pooled @ self.w_gate
        if self.training:
            deviation = F.softplus(pooled @ self.w_noise) + 0.01
            noisy = clean + torch.randn_like(clean) * deviation
        top, index = noisy.topk(2, dim=1)
        gates = torch.zeros_like(noisy).scatter(1, index[:, :1], top[:, :1].softmax(1))
        if self.training:
            chosen = noisy > top[:, 1:2]
            threshold = torch.where(chosen, top[:, 1:2], top[:, :1])
            load = torch.special.ndtr(((clean - threshold) / deviation).float()).sum(0)
        else:
            load = (gates > 0).sum(0)
        self.moe_loss = 0.01 * (spread(gates.sum(0).float()) + spread(load.float()))
        return gates

    def forward(self, x):
        z = F.linear(x, self.lora_A)
        gates = self.gate(z)
        height, width = z.shape[1:3]
        sent, outputs = [], []
        for scale, expert in enumerate(self.experts, start=1):
            index = gates[:, scale - 1].nonzero()[:, 0]
            if index.numel() == 0:
                continue
            m = z[index].permute(0, 3, 1, 2)
            if scale != 1:
                m = F.interpolate(m, scale_factor=scale, mode="bicubic")
            m = expert(m)
            if scale != 1:
                m = F.interpolate(m, size=(height, width), mode="bicubic")
            outputs.append(m.permute(0, 2, 3, 1).float().exp() * gates[index, scale - 1][:, None, None, None])
            sent.append(index)
        seen = torch.zeros(z.shape, device=z.device).index_add(0, torch.cat(sent), torch.cat(outputs).float())
        seen = torch.where(seen == 0, torch.full_like(seen, torch.finfo(torch.float32).eps), seen).log()
        rows = z + seen.to(z.dtype)
        return self.base(x) + F.linear(rows, self.lora_B) * self.scale


def spread(x):
    """The square of the coefficient of variation."""
    return x.var() / (x.mean() ** 2 + 1e-10)


def adapted(encoder, adapter):
    for parameter in encoder.parameters():
        parameter.requires_grad_(False)
    for block in encoder.blocks:
        if adapter == "lora":
            block.attn.qkv = Lora(block.attn.qkv, 4)
        elif adapter == "conv-lora":
            block.attn.qkv = ConvLora(block.attn.qkv)
    return encoder


# Times


class Clock:
    def __init__(self, device):
        self.device = device

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def time(self, run, batches=7, batch=0.06):
        """Medians of batches of runs one after another, in milliseconds."""
        for _ in range(3):
            run()
        self.wait()
        runs = max(1, min(1000, round(batch / max(self.once(run, 1), 1e-5))))
        times = sorted(1000 * self.once(run, runs) / runs for _ in range(batches))
        return {
            "milliseconds": statistics.median(times),
            # What our own intervals of seven are.
            "low": times[0],
            "high": times[-1],
            "runs": runs * batches,
        }

    def once(self, run, runs):
        start = time.perf_counter()
        for _ in range(runs):
            run()
        self.wait()
        return time.perf_counter() - start


DTYPES = {"f32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


def prepare(how):
    torch.set_float32_matmul_precision("high" if how == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = how == "tf32"
    return DTYPES[how]


def products(problems, clock):
    device = clock.device
    for one in problems["products"]:

        def run(one=one):
            m, k, n = one["shape"]
            for how in ("f32", "tf32", "bf16", "f16"):
                dtype = prepare(how)
                x = torch.randn(m, k, device=device).to(dtype)
                weight = (torch.randn(k, n, device=device) / math.sqrt(k)).to(dtype)
                timing = clock.time(lambda: x @ weight)
                tell(one["name"], "PyTorch", how, timing, 2 * m * k * n)

        yield one["name"], run
    for one in problems["attentions"]:

        def run(one=one):
            maps, heads, grid, depth = (one[key] for key in ("maps", "heads", "grid", "depth"))
            tokens = grid * grid
            for how in ("tf32", "bf16"):
                dtype = prepare(how)
                q, k, v = (
                    torch.rand(maps, heads, tokens, depth, device=device, dtype=dtype) for _ in range(3)
                )
                tables = [torch.rand(2 * grid - 1, depth, device=device, dtype=dtype) for _ in range(2)]
                for system, fused in (("PyTorch as published", False), ("PyTorch SDPA", True)):
                    with torch.no_grad():
                        timing = clock.time(lambda: attend(q, k, v, *tables, grid, fused))
                    tell(one["name"], system, how, timing, 4 * maps * heads * tokens**2 * depth)

        yield one["name"], run


def tell(what, system, how, timing, operations=None, **more):
    if operations is not None:
        more["teraflops"] = operations / timing["milliseconds"] / 1e9
    say("time", what=what, system=system, how=how, **timing, **more)


ADAPTERS = {"bare": None, "lora": "lora", "conv-lora": "conv-lora"}


def encoder_item(problems, clock, model, adapter, how, fused, compiled):
    what = f"{model['name']} encoder at {model['config']['imageSize']} pixels, {problems['adapters'][adapter]}"
    system = system_name(fused, compiled)

    def run():
        dtype = prepare(how)
        encoder = adapted(Encoder(model["config"], fused), ADAPTERS[adapter])
        encoder = encoder.to(clock.device).to(dtype).eval()
        side = model["config"]["imageSize"]
        image = torch.randn(1, 3, side, side, device=clock.device).to(dtype)
        begun = time.perf_counter()
        call = torch.compile(encoder) if compiled else encoder
        with torch.no_grad():
            call(image)
            clock.wait()
            ready = time.perf_counter() - begun
            timing = clock.time(lambda: call(image))
        tell(what, system, how, timing, note=f"ready in {ready:.1f} s")

    return f"{what}, {system}, {how}", run


def training_step(config, adapter, device, how="f32", fused=False, compiled=False):
    """A function that takes one step of AdamW with clipping, and returns its loss."""
    prepare(how)
    encoder = adapted(Encoder(config, fused), ADAPTERS[adapter]).to(device).train()
    # In bf16 the base is stored so, and what trains stays single.
    if how == "bf16":
        for parameter in encoder.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.bfloat16()
    trained = [p for p in encoder.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-4, weight_decay=1e-4)
    side = config["imageSize"]
    grid = side // config["patchSize"]
    image = torch.randn(1, 3, side, side, device=device)
    target = torch.randn(1, config["outChans"], grid, grid, device=device)
    call = torch.compile(encoder) if compiled else encoder
    terms = [m for m in encoder.modules() if isinstance(m, ConvLora)]

    def step():
        with torch.autocast(device, torch.bfloat16, enabled=how == "bf16"):
            embedding = call(image)
        loss = F.mse_loss(embedding.float(), target) + sum(m.moe_loss for m in terms)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        return loss

    return step


def step_item(problems, clock, model, adapter, how, fused, compiled):
    what = f"{model['name']} training step at {model['config']['imageSize']} pixels, {problems['adapters'][adapter]}"
    system = system_name(fused, compiled)

    def run():
        step = training_step(model["config"], adapter, clock.device, how, fused, compiled)
        begun = time.perf_counter()
        step()
        clock.wait()
        ready = time.perf_counter() - begun
        tell(what, system, how, clock.time(step), note=f"ready in {ready:.1f} s")

    return f"{what}, {system}, {how}", run


def system_name(fused, compiled):
    return f"PyTorch {'compiled' if compiled else 'eager'}{', SDPA' if fused else ''}"


# What tells most comes first: (training, adapter, how, fused); of models behind the first only the bare encoder.
EAGER = [
    (False, "bare", "tf32", False),
    (False, "bare", "bf16", True),
    (False, "bare", "bf16", False),
    (False, "bare", "f32", False),
    (False, "lora", "bf16", True),
    (False, "lora", "tf32", False),
    (False, "conv-lora", "bf16", True),
    (False, "conv-lora", "tf32", False),
    (True, "lora", "bf16", True),
    (True, "lora", "tf32", False),
    (True, "conv-lora", "bf16", True),
    (True, "conv-lora", "tf32", False),
]
COMPILED = [
    (False, "bare", "bf16", True),
    (False, "bare", "tf32", False),
    (True, "lora", "bf16", True),
    (False, "lora", "bf16", True),
    (False, "conv-lora", "bf16", True),
    (True, "conv-lora", "bf16", True),
    (True, "lora", "tf32", False),
    (False, "bare", "f32", False),
]


def models(problems, clock, cases, compiled):
    for i, model in enumerate(problems["models"]):
        for training, adapter, how, fused in cases:
            if i > 0 and (adapter != "bare" or how == "f32"):
                continue
            make = step_item if training else encoder_item
            yield make(problems, clock, model, adapter, how, fused, compiled)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--problems", required=True)
    parser.add_argument("--group", required=True, choices=["products", "eager", "compiled"])
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()
    torch.manual_seed(0)
    problems = json.loads(args.problems)
    clock = Clock(args.device)
    items = list(
        products(problems, clock)
        if args.group == "products"
        else models(problems, clock, EAGER, False)
        if args.group == "eager"
        else models(problems, clock, COMPILED, True)
    )
    say("items", names=[name for name, _ in items])
    for name, run in items[args.skip :]:
        say("begin", item=name)
        try:
            run()
        except Exception as error:  # What an item throws is its result.
            words = str(error).split("\n")[0]
            say("left out", what=name, reason=f"PyTorch: {type(error).__name__}: {words[:300]}")
        if args.device == "cuda":
            torch.cuda.empty_cache()
        say("end", item=name)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
