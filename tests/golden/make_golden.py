#!/usr/bin/env python3
"""Makes golden files of the language models of models.md, and recomputes them, with the independent float64
reference beside this file (reference.py). Its gradients can be checked against central differences.

    pip install "jax[cpu]" numpy
    make_golden.py validate FILE...            recompute logits, loss and gradients of golden files and compare
    make_golden.py list                        names of the built-in extra configurations
    make_golden.py generate --out DIR [NAME..] write them (all, or those whose name contains one of NAME)
        --check   also print the central-difference check and the sensitivity to last-bit changes of parameters

File format: safetensors; __metadata__ {"config": JSON, "format": "whorl-golden-1"}; F64 tensors `logits` [B,L,V],
`loss` [1], `param.*`, `grad.*`; I32 tensors `tokens`, `targets` [B,L], target -1 = unsupervised.
"""
import argparse
import json
import math
import os
import struct
import sys
import time
import zlib

from configurations import CASES, param_shapes, random_data, random_params
from reference import evaluate, m3_dims, make_loss

import jax
import numpy as np


# ----------------------------------------------------------------------------------------------- safetensors

DTYPES = {"F64": np.float64, "F32": np.float32, "I32": np.int32, "I64": np.int64}


def load_safetensors(path):
    with open(path, "rb") as f:
        n = struct.unpack("<Q", f.read(8))[0]
        header = json.loads(f.read(n))
        data = f.read()
    meta = header.pop("__metadata__", {})
    out = {}
    for name, e in header.items():
        a, b = e["data_offsets"]
        out[name] = np.frombuffer(data[a:b], dtype=DTYPES[e["dtype"]]).reshape(e["shape"])
    return meta, out


def save_safetensors(path, meta, tensors):
    names = {np.dtype(v): k for k, v in DTYPES.items()}
    # like the safetensors library: wider types first, then by name
    order = sorted(tensors, key=lambda k: (-tensors[k].dtype.itemsize, k))
    header, blobs, at = {"__metadata__": meta}, [], 0
    for k in order:
        a = np.ascontiguousarray(tensors[k])
        header[k] = {"dtype": names[a.dtype], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        blobs.append(a.tobytes())
        at += a.nbytes
    h = json.dumps(header, separators=(",", ":")).encode()
    h += b" " * (-len(h) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(h)) + h + b"".join(blobs))

def errors(a, b):
    """a, b: (logits, loss, grads); the error measure of the contract, per quantity, b the reference."""
    out = {"logits": np.linalg.norm(a[0] - b[0]) / np.linalg.norm(b[0]), "loss": abs(a[1] - b[1]) / abs(b[1])}
    G = max(np.linalg.norm(g) for g in b[2].values())
    for k in b[2]:
        out["grad." + k] = np.linalg.norm(a[2][k] - b[2][k]) / max(np.linalg.norm(b[2][k]), 1e-3 * G)
    return out

# ----------------------------------------------------------------------------------------------- commands

def check_fd(cfg, params, tokens, targets, grads, seed):
    """Directional derivative, central differences with one Richardson step, against <grad, d>; relative."""
    f = jax.jit(lambda ps: make_loss(cfg, tokens, targets)(ps)[0])
    rng = np.random.default_rng(seed)
    d = {k: rng.standard_normal(v.shape) * (np.linalg.norm(v) / math.sqrt(v.size) + 1e-3) for k, v in params.items()}
    terms = [float(np.sum(grads[k] * d[k])) for k in params]

    def diff(h):
        up = float(f({k: v + h * d[k] for k, v in params.items()}))
        dn = float(f({k: v - h * d[k] for k, v in params.items()}))
        return (up - dn) / (2 * h)

    h = 1e-5
    num = (4 * diff(h / 2) - diff(h)) / 3
    return abs(num - sum(terms)) / max(abs(sum(terms)), np.linalg.norm(terms))


def generate(names, out, check):
    os.makedirs(out, exist_ok=True)
    for name, (cfg, o) in CASES.items():
        if names and not any(n in name for n in names):
            continue
        t0 = time.time()
        seed = zlib.crc32(name.encode())
        rng = np.random.default_rng(seed)
        params = random_params(cfg, rng, o["scale"], o["dt"], o["emb"])
        if o["tweak"]:
            o["tweak"](params)
        tokens, targets = random_data(cfg, rng, o["B"], o["L"], o["sup"])
        logits, loss, grads, run = evaluate(cfg, params, tokens, targets)
        norms = [np.linalg.norm(g) for g in grads.values()]
        assert np.isfinite(logits).all() and np.isfinite(norms).all(), name
        line = f"{name:42s} B={o['B']} L={o['L']:<4d} loss={loss:.4f} G={max(norms):.2e}"
        if check:
            jit = np.random.default_rng(seed + 1)
            ps = {k: v * (1 + 2.2e-16 * jit.standard_normal(v.shape)) for k, v in params.items()}
            e = errors(run(ps)[:3], (logits, loss, grads))
            worst = max(e, key=e.get)
            line += f" fd={check_fd(cfg, params, tokens, targets, grads, seed + 2):.1e} sens={e[worst]:.1e} ({worst})"
        tensors = {"tokens": tokens, "targets": targets, "logits": logits, "loss": np.array([loss])}
        for k, v in params.items():
            tensors["param." + k] = v
            tensors["grad." + k] = grads[k]
        meta = {"config": json.dumps(cfg), "format": "whorl-golden-1"}
        tmp = os.path.join(out, name + ".tmp")
        save_safetensors(tmp, meta, tensors)
        os.replace(tmp, os.path.join(out, name + ".safetensors"))
        print(f"{line} {time.time() - t0:.1f}s", flush=True)
        jax.clear_caches()


def validate(files, limit):
    bad = 0
    for path in files:
        meta, t = load_safetensors(path)
        cfg = json.loads(meta["config"])
        params = {k[6:]: v for k, v in t.items() if k.startswith("param.")}
        want = param_shapes(cfg)
        problems = [f"{k}: {params[k].shape if k in params else 'absent'} want {want.get(k, 'absent')}"
                    for k in sorted(set(want) | set(params))
                    if k not in params or k not in want or params[k].shape != tuple(want[k])]
        for m in cfg["layers"]:
            if m["type"] == "mamba3" and (m["H"], m["S"]) != (m3_dims(m, cfg["d_model"])[0], m3_dims(m, cfg["d_model"])[5]):
                problems.append("H or S of the config")
        grads = {k[5:]: v for k, v in t.items() if k.startswith("grad.")}
        if set(grads) != set(params):
            problems.append("gradient names differ from parameter names")
        logits, loss, g, _ = evaluate(cfg, params, t["tokens"], t["targets"])
        e = errors((logits, loss, g), (t["logits"], float(t["loss"][0]), grads))
        gw = max((k for k in e if k.startswith("grad.")), key=e.get)
        ok = max(e.values()) <= limit and not problems
        bad += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {os.path.basename(path):44s} logits {e['logits']:.1e} loss {e['loss']:.1e} "
              f"worst gradient {e[gw]:.1e} {gw} {'; '.join(problems)}", flush=True)
        jax.clear_caches()
    return bad


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sp = ap.add_subparsers(dest="cmd", required=True)
    v = sp.add_parser("validate")
    v.add_argument("files", nargs="+")
    v.add_argument("--limit", type=float, default=1e-10)
    sp.add_parser("list")
    g = sp.add_parser("generate")
    g.add_argument("--out", required=True)
    g.add_argument("--check", action="store_true")
    g.add_argument("names", nargs="*")
    a = ap.parse_args()
    if a.cmd == "validate":
        sys.exit(1 if validate(a.files, a.limit) else 0)
    if a.cmd == "list":
        print("\n".join(CASES))
    else:
        generate(a.names, a.out, a.check)


if __name__ == "__main__":
    main()
