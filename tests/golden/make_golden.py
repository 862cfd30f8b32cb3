#!/usr/bin/env python3
"""Independent float64 reference for the language models of models.md, and a maker of golden files.

Every mixer is written here as the recurrence one position at a time (jax.lax.scan over time, vmap over the
batch), straight from the equations; nothing dense or chunked, nothing shared with the C++ code. Gradients come
from JAX's reverse mode and can be checked against central differences.

    pip install "jax[cpu]" numpy
    make_golden.py validate FILE...            recompute logits, loss and gradients of golden files and compare
    make_golden.py list                        names of the built-in extra configurations
    make_golden.py generate --out DIR [NAME..] write them (all, or those whose name contains one of NAME)
        --check   also print the central-difference check and the sensitivity to last-bit changes of parameters

File format: safetensors; __metadata__ {"config": JSON, "format": "whorl-golden-1"}; F64 tensors `logits` [B,L,V],
`loss` [1], `param.*`, `grad.*`; I32 tensors `tokens`, `targets` [B,L], target -1 = unsupervised.

Readings chosen where the text leaves a choice (search for READING below).
"""
import argparse
import json
import math
import os
import struct
import sys
import time
import zlib

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


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


# ----------------------------------------------------------------------------------------------- small pieces

def rmsnorm(x, w, eps):
    return w * x / jnp.sqrt(jnp.mean(x * x, axis=-1, keepdims=True) + eps)


def sigmoid(v):
    return jax.nn.sigmoid(v)


def silu(v):
    return v * jax.nn.sigmoid(v)


def softplus(v):
    return jnp.logaddexp(v, 0.0)


def conv_step(window, u, w, bias):
    """Depthwise causal convolution, one position. window [W-1, C] holds the last W-1 inputs, oldest first."""
    full = jnp.concatenate([window, u[None]], axis=0)             # [W, C]
    out = jnp.einsum("wc,cw->c", full, w[:, 0, :])
    if bias is not None:
        out = out + bias
    return full[1:], out


def cut(v, sizes):
    """Split a vector into consecutive pieces; the sizes must use it up."""
    out, at = [], 0
    for s in sizes:
        out.append(v[at:at + s])
        at += s
    assert at == v.shape[0], (at, v.shape)
    return out


# ----------------------------------------------------------------------------------------------- Mamba-3

def m3_dims(m, D):
    HP = m["expand"] * D
    P, N, G = m["headdim"], m["d_state"], m["ngroups"]
    assert HP % P == 0
    H = HP // P
    assert H % G == 0
    R = m["mimo_rank"] if m["mimo"] else 1
    S = int(math.floor(math.floor(N * m["rope_fraction"]) / 2))
    return H, P, N, G, R, S


def m3_rotate(v, phi, S, pairing):
    """v [R,H,N], phi [H,S]: turn pair j by phi[:,j]; (a,b) -> (a cos - b sin, a sin + b cos)."""
    N = v.shape[-1]
    if pairing == "neighbours":
        ia = np.array([2 * j for j in range(S)], dtype=int)
        ib = ia + 1
    else:
        assert N % 2 == 0
        ia = np.array([j for j in range(S)], dtype=int)
        ib = ia + N // 2
    c, s = jnp.cos(phi)[None], jnp.sin(phi)[None]
    a, b = v[..., ia], v[..., ib]
    return v.at[..., ia].set(a * c - b * s).at[..., ib].set(a * s + b * c)


def m3_layer(p, m, eps, X):
    """X [L, D] (already normed) -> [L, D]."""
    H, P, N, G, R, S = m3_dims(m, X.shape[-1])
    HP, RGN = H * P, R * G * N
    rotation = m["rotation"]
    conv_w = p.get("conv1d.weight")
    group_of_head = np.arange(H) // (H // G)                       # head h uses group h // (H/G)

    def step(carry, inp):
        phi, h, Bprev, xprev, window = carry
        t, u = inp
        z, x, B, C, ddt, dA, lam, a = cut(p["in_proj.weight"] @ u, [HP, HP, RGN, RGN, H, H, H, S])
        if conv_w is not None:
            window, xBC = conv_step(window, jnp.concatenate([x, B, C]), conv_w, p["conv1d.bias"])
            x, B, C = cut(silu(xBC), [HP, RGN, RGN])
        x = x.reshape(H, P)
        z = z.reshape(H, P)
        B = B.reshape(R, G, N)
        C = C.reshape(R, G, N)

        dt = softplus(ddt + p["dt_bias"])                          # [H]
        if m.get("a_source", "data") == "per_head":
            A = -jnp.exp(p["A_log"])                               # READING: no floor here, as written
        else:
            if m["a_activation"] == "softplus":
                f = softplus(dA)
            else:
                f = jnp.where(dA >= 0, 1 + dA, 1 / (1 - jnp.minimum(dA, 0.0)))
            A = -jnp.maximum(f, m["a_floor"])
        disc = m["discretization"]
        if disc == "trapezoidal":
            lam = sigmoid(lam)
        elif disc == "trapezoidal_half":
            lam = jnp.full((H,), 0.5)
        else:
            assert disc == "euler"
            lam = jnp.ones((H,))

        # READING: bc_norm = false drops B_norm.weight and C_norm.weight altogether (as bc_bias none drops a bias)
        if m.get("bc_norm", True):
            B = rmsnorm(B, p["B_norm.weight"], eps)
            C = rmsnorm(C, p["C_norm.weight"], eps)
        B = B[:, group_of_head]                                    # [R,H,N]
        C = C[:, group_of_head]
        if m["bc_bias"] in ("both", "b"):
            B = B + jnp.swapaxes(p["B_bias"], 0, 1)
        if m["bc_bias"] in ("both", "c"):
            C = C + jnp.swapaxes(p["C_bias"], 0, 1)

        if rotation == "data_dependent":
            theta = jnp.pi * jnp.tanh(a)                           # [S]
            phi = jnp.mod(phi + dt[:, None] * theta[None], 2 * jnp.pi)
        elif rotation == "standard":
            j = jnp.arange(S, dtype=jnp.float64)
            phi = jnp.broadcast_to(t * 10000.0 ** (-j / S), (H, S))
        if rotation != "none":
            assert S > 0
            B = m3_rotate(B, phi, S, m["rotary_pairing"])
            C = m3_rotate(C, phi, S, m["rotary_pairing"])

        alpha = jnp.exp(dt * A)
        beta = (1 - lam) * dt * alpha
        gamma = lam * dt
        if m["mimo"]:
            xr = x[None] * jnp.swapaxes(p["mimo_x"], 0, 1)         # [R,H,P]
        else:
            xr = x[None]
        h = (alpha[:, None, None] * h
             + beta[:, None, None] * jnp.einsum("rhp,rhn->hpn", xprev, Bprev)
             + gamma[:, None, None] * jnp.einsum("rhp,rhn->hpn", xr, B))
        y = jnp.einsum("hpn,rhn->rhp", h, C) + p["D"][None, :, None] * xr

        if m["mimo"]:
            zr = z[None] * jnp.swapaxes(p["mimo_z"], 0, 1)
        else:
            zr = z[None]
        onorm = m["outproj_norm"]
        if onorm == "pre_gate":
            y = rmsnorm(y, p["norm.weight"].reshape(H, P), eps)
        y = y * silu(zr)
        if onorm == "post_gate":
            y = rmsnorm(y, p["norm.weight"].reshape(H, P), eps)
        if m["mimo"]:
            y = jnp.sum(jnp.swapaxes(p["mimo_o"], 0, 1) * y, axis=0)
        else:
            y = y[0]
        return (phi, h, B, xr, window), p["out_proj.weight"] @ y.reshape(HP)

    width = 0 if conv_w is None else conv_w.shape[0]
    carry = (jnp.zeros((H, S)), jnp.zeros((H, P, N)), jnp.zeros((R, H, N)), jnp.zeros((R, H, P)),
             jnp.zeros((3, width)))
    L = X.shape[0]
    _, Y = jax.lax.scan(step, carry, (jnp.arange(L, dtype=jnp.float64), X))
    return Y


# ----------------------------------------------------------------------------------------------- Mamba-2

def m2_dims(m, D):
    HP = m["expand"] * D
    P, N, G = m["headdim"], m["d_state"], m["ngroups"]
    assert HP % P == 0
    H = HP // P
    assert H % G == 0
    return H, P, N, G


def m2_layer(p, m, eps, X):
    H, P, N, G = m2_dims(m, X.shape[-1])
    HP = H * P
    A = -jnp.exp(p["A_log"])

    def step(carry, u):
        h, window = carry
        z, xBC, ddt = cut(p["in_proj.weight"] @ u, [HP, HP + 2 * G * N, H])
        window, xBC = conv_step(window, xBC, p["conv1d.weight"], p["conv1d.bias"])
        x, B, C = cut(silu(xBC), [HP, G * N, G * N])
        x = x.reshape(H, P)
        B = jnp.repeat(B.reshape(G, N), H // G, axis=0)            # [H,N]
        C = jnp.repeat(C.reshape(G, N), H // G, axis=0)
        dt = softplus(ddt + p["dt_bias"])
        h = jnp.exp(dt * A)[:, None, None] * h + dt[:, None, None] * x[:, :, None] * B[:, None, :]
        y = jnp.einsum("hpn,hn->hp", h, C) + p["D"][:, None] * x
        y = (y.reshape(HP) * silu(z)).reshape(G, HP // G)
        y = rmsnorm(y, p["norm.weight"].reshape(G, HP // G), eps)
        return (h, window), p["out_proj.weight"] @ y.reshape(HP)

    carry = (jnp.zeros((H, P, N)), jnp.zeros((3, HP + 2 * G * N)))
    return jax.lax.scan(step, carry, X)[1]


# ----------------------------------------------------------------------------------------------- Gated DeltaNet

def gdn_dims(m):
    H, K = m["num_heads"], m["head_dim"]
    Hv = m.get("num_v_heads", H)
    Vd = int(m["expand_v"] * K)
    assert Hv % H == 0 and m.get("head_v_dim", Vd) == Vd
    return H, Hv, K, Vd


def gdn_layer(p, m, eps, X):
    H, Hv, K, Vd = gdn_dims(m)
    head_of = (np.arange(Hv) * H) // Hv                            # value head j uses query/key head j*H/Hv

    def unit(x):
        return x / jnp.sqrt(jnp.sum(x * x, axis=-1, keepdims=True) + 1e-6)

    def step(carry, u):
        S, wq, wk, wv = carry
        wq, q = conv_step(wq, p["q_proj.weight"] @ u, p["q_conv1d.weight"], None)
        wk, k = conv_step(wk, p["k_proj.weight"] @ u, p["k_conv1d.weight"], None)
        wv, v = conv_step(wv, p["v_proj.weight"] @ u, p["v_conv1d.weight"], None)
        q = unit(silu(q).reshape(H, K))[head_of] * K ** -0.5       # [Hv,K]
        k = unit(silu(k).reshape(H, K))[head_of]
        v = silu(v).reshape(Hv, Vd)
        g = -jnp.exp(p["A_log"]) * softplus(p["a_proj.weight"] @ u + p["dt_bias"])
        beta = sigmoid(p["b_proj.weight"] @ u)
        if m["allow_neg_eigval"]:
            beta = 2 * beta
        S = jnp.exp(g)[:, None, None] * S                          # [Hv,K,Vd]
        err = v - jnp.einsum("hkv,hk->hv", S, k)
        S = S + k[:, :, None] * (beta[:, None] * err)[:, None, :]
        o = jnp.einsum("hkv,hk->hv", S, q)
        o = rmsnorm(o, p["o_norm.weight"], eps)                    # READING: the model's norm_epsilon here too
        y = o.reshape(Hv * Vd) * silu(p["g_proj.weight"] @ u)
        return (S, wq, wk, wv), p["o_proj.weight"] @ y

    carry = (jnp.zeros((Hv, K, Vd)), jnp.zeros((3, H * K)), jnp.zeros((3, H * K)), jnp.zeros((3, Hv * Vd)))
    return jax.lax.scan(step, carry, X)[1]


# ----------------------------------------------------------------------------------------------- attention

def attn_layer(p, m, eps, X):
    H, K = m["num_heads"], m["head_dim"]
    L = X.shape[0]
    rope = m["positions"] == "rope"

    def turn(v, t):                                                # v [H,K], pairs (i, i+K/2)
        half = K // 2
        ang = t * 10000.0 ** (-2.0 * jnp.arange(half) / K)
        c, s = jnp.cos(ang), jnp.sin(ang)
        a, b = v[:, :half], v[:, half:]
        return jnp.concatenate([a * c - b * s, a * s + b * c], axis=-1)

    def step(carry, inp):
        keys, values = carry                                       # [L,H,K], filled up to t
        t, u = inp
        q, k, v = cut(p["in_proj.weight"] @ u, [H * K] * 3)
        q, k, v = q.reshape(H, K), k.reshape(H, K), v.reshape(H, K)
        if rope:
            q, k = turn(q, t.astype(jnp.float64)), turn(k, t.astype(jnp.float64))
        keys, values = keys.at[t].set(k), values.at[t].set(v)
        score = jnp.einsum("lhk,hk->hl", keys, q) * K ** -0.5
        score = jnp.where(jnp.arange(L)[None] <= t, score, -jnp.inf)
        w = jax.nn.softmax(score, axis=-1)
        y = jnp.einsum("hl,lhk->hk", w, values)
        return (keys, values), p["out_proj.weight"] @ y.reshape(H * K)

    carry = (jnp.zeros((L, H, K)), jnp.zeros((L, H, K)))
    return jax.lax.scan(step, carry, (jnp.arange(L), X))[1]


# ----------------------------------------------------------------------------------------------- the model

MIXERS = {"mamba3": m3_layer, "mamba2": m2_layer, "gated_delta_net": gdn_layer, "attention": attn_layer}


def sub(params, prefix):
    return {k[len(prefix):]: v for k, v in params.items() if k.startswith(prefix)}


def forward_one(params, cfg, tokens):
    """One sequence of tokens [L] -> logits [L, V]. READING: every RMSNorm of the model uses norm_epsilon."""
    eps = cfg["norm_epsilon"]
    E = params["backbone.embedding.weight"]
    x = E[tokens]
    for i, m in enumerate(cfg["layers"]):
        base = f"backbone.layers.{i}."
        x = x + MIXERS[m["type"]](sub(params, base + "mixer."), m, eps, rmsnorm(x, params[base + "norm.weight"], eps))
        if cfg["d_intermediate"] > 0:
            u = rmsnorm(x, params[base + "norm2.weight"], eps)
            y, g = jnp.split(u @ params[base + "mlp.fc1.weight"].T, 2, axis=-1)
            x = x + (y * silu(g)) @ params[base + "mlp.fc2.weight"].T
    head = E if cfg["tie_embeddings"] else params["lm_head.weight"]
    return rmsnorm(x, params["backbone.norm_f.weight"], eps) @ head.T


def make_loss(cfg, tokens, targets):
    mask = np.asarray(targets) >= 0
    safe = np.where(mask, targets, 0)
    count = int(mask.sum())
    assert count > 0

    def loss_fn(params):
        logits = jax.vmap(lambda t: forward_one(params, cfg, t))(jnp.asarray(tokens))
        lse = jax.nn.logsumexp(logits, axis=-1)
        at = jnp.take_along_axis(logits, jnp.asarray(safe)[..., None], axis=-1)[..., 0]
        return jnp.sum(jnp.where(mask, lse - at, 0.0)) / count, logits

    return loss_fn


def evaluate(cfg, params, tokens, targets):
    f = jax.jit(jax.value_and_grad(make_loss(cfg, tokens, targets), has_aux=True))

    def run(ps):
        (loss, logits), grads = f({k: jnp.asarray(v) for k, v in ps.items()})
        return np.asarray(logits), float(loss), {k: np.asarray(v) for k, v in grads.items()}

    return run(params) + (run,)


def errors(a, b):
    """a, b: (logits, loss, grads); the error measure of the contract, per quantity, b the reference."""
    out = {"logits": np.linalg.norm(a[0] - b[0]) / np.linalg.norm(b[0]), "loss": abs(a[1] - b[1]) / abs(b[1])}
    G = max(np.linalg.norm(g) for g in b[2].values())
    for k in b[2]:
        out["grad." + k] = np.linalg.norm(a[2][k] - b[2][k]) / max(np.linalg.norm(b[2][k]), 1e-3 * G)
    return out


# ----------------------------------------------------------------------------------------------- parameters

def param_shapes(cfg):
    D, V, F = cfg["d_model"], cfg["vocab_size"], cfg["d_intermediate"]
    s = {"backbone.embedding.weight": (V, D), "backbone.norm_f.weight": (D,)}
    if not cfg["tie_embeddings"]:
        s["lm_head.weight"] = (V, D)
    for i, m in enumerate(cfg["layers"]):
        base = f"backbone.layers.{i}."
        s[base + "norm.weight"] = (D,)
        if F > 0:
            s[base + "norm2.weight"] = (D,)
            s[base + "mlp.fc1.weight"] = (2 * F, D)
            s[base + "mlp.fc2.weight"] = (D, F)
        q = {}
        if m["type"] == "mamba3":
            H, P, N, G, R, S = m3_dims(m, D)
            HP = H * P
            q["in_proj.weight"] = (2 * HP + 2 * R * G * N + 3 * H + S, D)
            q["dt_bias"] = q["D"] = (H,)
            if m["bc_bias"] in ("both", "b"):
                q["B_bias"] = (H, R, N)
            if m["bc_bias"] in ("both", "c"):
                q["C_bias"] = (H, R, N)
            if m.get("bc_norm", True):
                q["B_norm.weight"] = q["C_norm.weight"] = (N,)
            if m.get("a_source", "data") == "per_head":
                q["A_log"] = (H,)
            if m["short_conv"]:
                q["conv1d.weight"] = (HP + 2 * R * G * N, 1, m["short_conv"])
                q["conv1d.bias"] = (HP + 2 * R * G * N,)
            if m["mimo"]:
                q["mimo_x"] = q["mimo_z"] = q["mimo_o"] = (H, R, P)
            if m["outproj_norm"] != "none":
                q["norm.weight"] = (HP,)
            q["out_proj.weight"] = (D, HP)
        elif m["type"] == "mamba2":
            H, P, N, G = m2_dims(m, D)
            HP = H * P
            q = {"in_proj.weight": (2 * HP + 2 * G * N + H, D), "conv1d.weight": (HP + 2 * G * N, 1, 4),
                 "conv1d.bias": (HP + 2 * G * N,), "dt_bias": (H,), "A_log": (H,), "D": (H,), "norm.weight": (HP,),
                 "out_proj.weight": (D, HP)}
        elif m["type"] == "gated_delta_net":
            H, Hv, K, Vd = gdn_dims(m)
            q = {"q_proj.weight": (H * K, D), "k_proj.weight": (H * K, D), "v_proj.weight": (Hv * Vd, D),
                 "g_proj.weight": (Hv * Vd, D), "a_proj.weight": (Hv, D), "b_proj.weight": (Hv, D),
                 "o_proj.weight": (D, Hv * Vd), "q_conv1d.weight": (H * K, 1, 4), "k_conv1d.weight": (H * K, 1, 4),
                 "v_conv1d.weight": (Hv * Vd, 1, 4), "A_log": (Hv,), "dt_bias": (Hv,), "o_norm.weight": (Vd,)}
        else:
            H, K = m["num_heads"], m["head_dim"]
            q = {"in_proj.weight": (3 * H * K, D), "out_proj.weight": (D, H * K)}
        for k, v in q.items():
            s[base + "mixer." + k] = v
    return s


def random_params(cfg, rng, scale, dt_range, emb):
    """Every parameter away from its initial value, so that no term hides behind a one or a zero."""
    out = {}
    kind = {f"backbone.layers.{i}.mixer.": m["type"] for i, m in enumerate(cfg["layers"])}
    for name, shape in sorted(param_shapes(cfg).items()):
        last = name.split(".mixer.")[-1]
        n = rng.standard_normal(shape)
        layer = next((t for k, t in kind.items() if name.startswith(k)), None)
        if name == "backbone.embedding.weight":
            v = emb * n
        elif last == "dt_bias":
            d = np.exp(rng.uniform(math.log(dt_range[0]), math.log(dt_range[1]), shape))
            v = d + np.log(-np.expm1(-d))                          # inverse softplus
        elif last == "A_log":
            top = {"mamba2": (1, 16), "gated_delta_net": (0.02, 16), "mamba3": (0.1, 8)}[layer]
            v = np.log(rng.uniform(*top, shape))
        elif last in ("B_bias", "C_bias", "D"):
            v = 1 + 0.5 * n
        elif last in ("mimo_x", "mimo_o"):
            v = 1 / shape[1] + 0.4 * n
        elif last == "mimo_z":
            v = 1 + 0.4 * n
        elif "conv1d.weight" in last:
            v = rng.uniform(-1, 1, shape) * scale ** 0.5
        elif last == "conv1d.bias":
            v = 0.3 * n
        elif "norm" in last.split(".")[-2] if "." in last else False:
            v = 1 + 0.3 * n
        else:
            v = scale * n / math.sqrt(shape[-1])
        out[name] = v
    return out


def random_data(cfg, rng, batch, length, supervised):
    V = cfg["vocab_size"]
    tokens = rng.integers(0, V, (batch, length))
    targets = rng.integers(0, V, (batch, length))
    if supervised == "last":                                       # one position per file
        keep = np.zeros((batch, length), bool)
        keep[0, -1] = True
    elif supervised == "row":                                      # the first sequence wholly unsupervised
        keep = np.ones((batch, length), bool)
        keep[0] = False
    elif supervised == "all":
        keep = np.ones((batch, length), bool)
    else:
        keep = rng.random((batch, length)) < 0.7
        keep[-1, -1] = True
    return tokens.astype(np.int32), np.where(keep, targets, -1).astype(np.int32)


# ----------------------------------------------------------------------------------------------- configurations

def m3(N, P, **kw):
    m = {"type": "mamba3", "headdim": P, "d_state": N, "expand": 2, "ngroups": 1, "rope_fraction": 1.0, "mimo": False,
         "mimo_rank": 1, "rotation": "data_dependent", "discretization": "trapezoidal", "bc_bias": "both",
         "a_activation": "softplus", "a_floor": 1e-4, "rotary_pairing": None, "outproj_norm": "none", "short_conv": 0}
    if "R" in kw:
        m["mimo"], m["mimo_rank"] = True, kw.pop("R")
    if "g" in kw:
        m["ngroups"] = kw.pop("g")
    if "frac" in kw:
        m["rope_fraction"] = kw.pop("frac")
    if "pairing" in kw:
        m["rotary_pairing"] = kw.pop("pairing")
    m.update(kw)
    if m["rotary_pairing"] is None:
        m["rotary_pairing"] = "halves" if m["mimo"] else "neighbours"
    return m


def m2(N, P, g=1, expand=2):
    return {"type": "mamba2", "headdim": P, "d_state": N, "expand": expand, "ngroups": g}


def gdn(H, K, expand_v=2, neg=False, Hv=None):
    m = {"type": "gated_delta_net", "num_heads": H, "head_dim": K, "head_v_dim": expand_v * K, "expand_v": expand_v,
         "allow_neg_eigval": neg}
    if Hv is not None:
        m["num_v_heads"] = Hv
    return m


def attn(H, K, rope=True):
    return {"type": "attention", "num_heads": H, "head_dim": K, "positions": "rope" if rope else "none"}


SMALL, LARGE = (1e-3, 0.1), (0.1, 1.0)
CASES = {}


def case(name, D, layers, B=2, L=17, V=7, F=0, tie=True, eps=1e-5, scale=1.0, dt=SMALL, emb=1.0, sup="some", tweak=None):
    assert name not in CASES
    cfg = {"d_model": D, "n_layer": len(layers), "vocab_size": V, "tie_embeddings": tie, "d_intermediate": F,
           "norm_epsilon": eps, "layers": []}
    for m in layers:
        m = dict(m)
        if m["type"] == "mamba3":
            m["H"], m["S"] = m3_dims(m, D)[0], m3_dims(m, D)[5]
            assert m["S"] > 0 or m["rotation"] == "none"
        elif m["type"] == "mamba2":
            m["H"] = m2_dims(m, D)[0]
        cfg["layers"].append(m)
    CASES[name] = (cfg, dict(B=B, L=L, scale=scale, dt=dt, emb=emb, sup=sup, tweak=tweak))


def rows_times(row0, row1, factor, shift=0.0, layer=0, param="in_proj.weight"):
    """A tweak that scales some rows of a matrix (e.g. dt, dA) after the random draw."""
    def f(params):
        k = f"backbone.layers.{layer}.mixer.{param}"
        params[k] = params[k].copy()
        params[k][row0:row1] = params[k][row0:row1] * factor + shift
    return f


def strong_gdn_decay(params):
    for k in params:
        if k.endswith("A_log"):
            params[k] = np.log(np.linspace(8.0, 16.0, params[k].size))
        if k.endswith("dt_bias"):
            params[k] = np.full_like(params[k], 1.5)


def strong_m2_decay(params):
    for k in params:
        if k.endswith("A_log"):
            params[k] = np.log(np.linspace(10.0, 16.0, params[k].size))
        if k.endswith("dt_bias"):
            params[k] = np.full_like(params[k], 1.0)


# -- the first ten: one of each kind
case("mamba3-n5-p6-g2", 12, [m3(5, 6, g=2)], L=17, scale=1.5)
case("mamba3-n7-p4-g4-halfrope", 16, [m3(7, 4, g=4, frac=0.5)], L=65, dt=LARGE)
case("mamba3-n12-p20-d20-e1", 20, [m3(12, 20, expand=1)], B=3, L=64, dt=LARGE, scale=2.0, tie=False)
case("mamba3-mimo-r3-g2-n6-p4-neighbours", 12, [m3(6, 4, R=3, g=2, pairing="neighbours")], L=17, dt=LARGE)
case("mamba3-mimo-r2-conv-postgate", 16, [m3(8, 8, R=2, short_conv=4, outproj_norm="post_gate")], L=33, scale=1.5)
case("mamba3-siso-halves-n24", 12, [m3(24, 24, pairing="halves")], L=129, dt=LARGE, V=11)
case("mamba2-g3-n5-p4-d12", 12, [m2(5, 4, g=3)], L=65, F=7, scale=2.0, dt=LARGE)
case("gdn-h2-hv4-k6-ev3-neg", 20, [gdn(2, 6, 3, neg=True, Hv=4)], L=65, scale=1.5, dt=LARGE)
case("attention-rope-h3-k6-d20", 20, [attn(3, 6), attn(5, 4, rope=False)], L=64, F=13, tie=False, scale=1.5)
case("hybrid5-d12-len129", 12, [m3(7, 4, g=2), attn(2, 6), gdn(3, 4, 1, neg=True), m2(6, 8, g=3), m3(4, 6, R=2, g=2)],
     B=2, L=129, F=9, dt=LARGE)

# -- Mamba-3 shapes
case("mamba3-n100-p4-d12-e3", 12, [m3(100, 4, expand=3, g=3)], L=17, V=5)
case("mamba3-n100-p20-d20-quarter", 20, [m3(100, 20, frac=0.25, g=2)], B=1, L=65, dt=LARGE, scale=1.5)
case("mamba3-n9-p6-d20-e3-quarter", 20, [m3(9, 6, expand=3, frac=0.25, g=2)], L=33, scale=1.5, dt=LARGE)
case("mamba3-len1", 12, [m3(5, 4), m3(8, 4, R=2)], B=1, L=1, sup="all")
case("mamba3-len2-b3", 12, [m3(5, 4, short_conv=4)], B=3, L=2, dt=LARGE)
case("mamba3-len3", 20, [m3(7, 20, g=2), m3(12, 10, R=3, g=4)], B=2, L=3, dt=LARGE, tie=False)
case("mamba3-len300-dt-large", 12, [m3(12, 12)], B=1, L=300, dt=LARGE, scale=2.0)
case("mamba3-len300-dt-small", 16, [m3(5, 8, g=2)], B=1, L=300, dt=SMALL)
case("mamba3-saturated", 16, [m3(8, 8)], B=2, L=65, scale=4.0, dt=LARGE)
case("mamba3-depth6", 12, [m3(5 + i, 4 if i % 2 else 6, g=1 + i % 2) for i in range(6)], B=1, L=64, F=5)
# rows 2HP+2N+H .. +H of in_proj are dA; a floor that bites on about half of the positions
case("mamba3-floor-bites", 12, [m3(6, 6, a_floor=0.7)], L=33, dt=LARGE, scale=1.5)
case("mamba3-floor-bites-heavy", 12, [m3(6, 6, a_floor=0.6, a_activation="heavy_tail", R=2)], L=33, dt=LARGE, scale=1.5)
# dA pushed to -60 … +60 at H=4, N=6: the default floor of 1e-4, and huge decays, both happen
case("mamba3-extreme-A", 12, [m3(6, 6)], L=65, dt=LARGE, tweak=rows_times(64, 68, 20.0))
# Δ up to about 60 and u saturated
case("mamba3-extreme-dt", 12, [m3(6, 6)], L=65, dt=LARGE, tweak=rows_times(60, 64, 15.0))
case("mamba3-tiny-embedding-eps1e-6", 12, [m3(5, 6, outproj_norm="pre_gate"), m3(6, 4, R=2, outproj_norm="post_gate")],
     L=33, eps=1e-6, emb=1e-3, tie=False, dt=LARGE)
case("mamba3-vocab2-last-only", 12, [m3(4, 12), m3(4, 12)], B=3, L=65, V=2, sup="last", dt=LARGE, tie=False)
case("mamba3-vocab50-row-unsupervised", 16, [m3(4, 4, g=8)], B=3, L=17, V=50, sup="row", tie=False)

# -- Mamba-3 ablations
case("mamba3-standard-n7-half", 12, [m3(7, 6, rotation="standard", discretization="trapezoidal_half")], L=65, dt=LARGE)
case("mamba3-standard-euler-halves", 12, [m3(10, 6, rotation="standard", discretization="euler", pairing="halves", frac=0.5)],
     L=33, dt=LARGE)
case("mamba3-standard-mimo-trap", 12, [m3(8, 6, rotation="standard", R=3, g=2, frac=0.5)], L=33, dt=LARGE)
case("mamba3-norot-trap", 12, [m3(5, 6, rotation="none", bc_bias="b")], L=33, dt=LARGE)
case("mamba3-norot-half-mimo", 12, [m3(5, 6, rotation="none", discretization="trapezoidal_half", R=2, g=2,
                                      pairing="neighbours")], L=33, dt=LARGE)
case("mamba3-norot-euler-n1", 12, [m3(1, 6, rotation="none", discretization="euler", bc_bias="c")], L=17, dt=LARGE)
case("mamba3-euler-nobcnorm", 12, [m3(6, 4, discretization="euler", bc_norm=False)], L=33, dt=LARGE)
case("mamba3-nobcnorm-nobias-mimo", 16, [m3(6, 8, bc_norm=False, bc_bias="none", R=2, g=2)], L=33, dt=LARGE)
case("mamba3-nobcnorm-conv-b", 16, [m3(7, 8, bc_norm=False, bc_bias="b", short_conv=4, g=2)], L=33, dt=LARGE)
case("mamba3-perhead-A", 12, [m3(5, 4, a_source="per_head")], L=65, dt=LARGE, scale=1.5)
case("mamba3-perhead-A-mimo-conv-pregate", 12, [m3(8, 6, a_source="per_head", R=2, short_conv=4, outproj_norm="pre_gate")],
     L=33, dt=LARGE)
case("mamba3-postgate-heavy-g2", 12, [m3(9, 6, outproj_norm="post_gate", a_activation="heavy_tail", g=2)], L=65, dt=LARGE,
     scale=2.0)
case("mamba3-mimo-heavy-pregate-c", 20, [m3(12, 20, outproj_norm="pre_gate", a_activation="heavy_tail", R=3, bc_bias="c")],
     L=33, dt=LARGE, scale=1.5)

# -- MIMO
case("mamba3-mimo-r1-halves", 12, [m3(8, 6, R=1)], L=33, dt=LARGE)
case("mamba3-mimo-r1-neighbours-odd", 12, [m3(7, 4, R=1, pairing="neighbours", g=2)], L=33, dt=LARGE)
case("mamba3-mimo-r8-n24-p24", 12, [m3(24, 24, R=8)], L=17, dt=LARGE)
case("mamba3-mimo-r8-g2-neighbours-half", 16, [m3(10, 4, R=8, g=2, pairing="neighbours", frac=0.5)], L=65, dt=LARGE)
case("mamba3-mimo-r3-len300", 12, [m3(10, 6, R=3, frac=0.5)], B=1, L=300, dt=LARGE, scale=1.5)
case("mamba3-mimo-r2-g2-conv-halflambda", 12, [m3(6, 4, R=2, g=2, short_conv=4, discretization="trapezoidal_half")],
     L=33, dt=LARGE)
case("mamba3-mimo-r3-euler-b-postgate-depth3", 12, [m3(6, 6, R=3, discretization="euler", bc_bias="b", outproj_norm="post_gate",
                                                       pairing="halves" if i else "neighbours") for i in range(3)],
     L=17, dt=LARGE)
case("mamba3-mimo-r5-d32-e1-n100", 32, [m3(100, 4, R=5, expand=1, frac=0.25)], B=1, L=17)

# -- Mamba-2
case("mamba2-g4-n7-p4-d32", 32, [m2(7, 4, g=4, expand=1)], L=129, dt=LARGE)
case("mamba2-g2-n3-p6-e3", 20, [m2(3, 6, g=2, expand=3), m2(1, 1, g=4, expand=1)], L=33, tie=False, eps=1e-6)
case("mamba2-len1-2layers", 12, [m2(5, 24), m2(6, 6, g=2)], B=3, L=1, sup="all")
case("mamba2-len3", 12, [m2(5, 24), m2(6, 6, g=4)], B=1, L=3, sup="all")
case("mamba2-strong-decay-len300", 12, [m2(8, 6, g=2)], B=1, L=300, dt=LARGE, scale=2.0, tweak=strong_m2_decay)
case("mamba2-n100-p20", 20, [m2(100, 20)], B=1, L=65, dt=LARGE)

# -- Gated DeltaNet
case("gdn-h1-k4-ev1", 12, [gdn(1, 4, 1)], L=17)
case("gdn-h3-k24-ev2-neg-saturated", 16, [gdn(3, 24, 2, neg=True)], L=65, scale=3.0, dt=SMALL)
case("gdn-h3-hv9-k5-ev1", 12, [gdn(3, 5, 1, Hv=9)], B=3, L=33, dt=LARGE, F=11)
case("gdn-h1-hv3-k7-ev2-neg", 12, [gdn(1, 7, 2, neg=True, Hv=3), gdn(2, 4, 3, neg=False, Hv=2)], L=64, eps=1e-6, tie=False)
case("gdn-len1-2", 12, [gdn(2, 4, 2), gdn(2, 6, 1, neg=True, Hv=4)], B=2, L=1, sup="all")
case("gdn-len300-neg", 12, [gdn(2, 8, 1, neg=True)], B=1, L=300, dt=SMALL, scale=1.5)
case("gdn-strong-decay-len300", 12, [gdn(2, 6, 2)], B=1, L=300, dt=LARGE, scale=1.5, tweak=strong_gdn_decay)
case("gdn-depth4-repeated-keys", 12, [gdn(1, 4, 2, neg=i % 2 == 1) for i in range(4)], B=2, L=65, V=2, scale=1.2, F=8)

# -- attention, MLP, hybrids
case("attention-h1-k2-len1", 12, [attn(1, 2)], B=2, L=1, F=1, sup="all")
case("attention-h4-k10-len129", 32, [attn(4, 10), attn(1, 32, rope=False)], B=1, L=129, scale=2.0, eps=1e-6)
case("attention-h5-k4-nomlp", 20, [attn(5, 4)], B=3, L=33, tie=False)
case("hybrid4-untied-eps1e-6", 20, [m2(5, 20, g=2), gdn(2, 6, 2, Hv=4), attn(2, 10, rope=False),
                                    m3(9, 4, expand=1, outproj_norm="post_gate")],
     B=3, L=17, F=15, tie=False, eps=1e-6, dt=LARGE)
case("hybrid6-len65", 12, [m3(5, 6, short_conv=4), m3(6, 4, R=3, pairing="neighbours", a_activation="heavy_tail"), m2(4, 4, g=2),
                           attn(3, 4), gdn(1, 6, 3, neg=True), m3(8, 12, rotation="standard", bc_norm=False)],
     B=1, L=65, F=3, dt=LARGE, V=9)
case("hybrid4-len300-nomlp", 12, [m3(7, 6), attn(2, 6), m2(5, 6), gdn(2, 4, 2, neg=True)], B=1, L=300, dt=LARGE)


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
