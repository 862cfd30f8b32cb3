"""The language models of models.md in float64, independent of the C++ code: forward pass, loss and gradients.

Every mixer is written here as the recurrence one position at a time (jax.lax.scan over time, vmap over the
batch), straight from the equations; nothing dense or chunked, nothing shared with the C++ code. Gradients come
from JAX's reverse mode.

Readings chosen where the text leaves a choice (search for READING below).
"""
import math
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


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
