"""The configurations that golden files are made of, their parameters and their data, all drawn from seeds."""
import math

import numpy as np

from reference import gdn_dims, m2_dims, m3_dims

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
