"""Payloads, results and errors of the demo's tasks: usual ones, and hostile ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class HostileTask:
    """A payload and an error text that attack the terminal or the parser of their reader."""

    name: str
    payload: bytes
    error: str
    type: str = ""


HOSTILE: tuple[HostileTask, ...] = (
    HostileTask(
        "escape",
        b'{"prompt":"\x1b[2J\x1b[H\x1b]0;owned\x07raw escapes","note":"\x1b[31mred\x1b[0m"}',
        "ValueError: \x1b[2J\x1b[1;1H\x1b[5mcleared your screen\x1b[0m",
    ),
    HostileTask(
        "clipboard",
        b'{"prompt":"\x1b]52;c;cm0gLXJmIC8K\x07 OSC 52 writes the clipboard"}',
        "RuntimeError: \x1b]52;c;cm0gLXJmIC8K\x07\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    ),
    HostileTask(
        "markup",
        b'{"prompt":"[@click=app.quit]x[/] [/x] [bold red]not markup[/] [link=file:///etc]"}',
        "KeyError: '[@click=app.quit]press me[/]'\n[/x] unmatched [$error] [b",
        type="[@click=app.quit]x[/]",
    ),
    HostileTask(
        "bidi",
        '{"file":"invoice_\u202efdp.exe","note":"\u2066\u202etxet desrever\u2069"}'.encode(),
        "PermissionError: '/srv/\u202egpj.sh' \u200b\u200d\ufeffzero width",
        type="report\u202ecod",
    ),
    HostileTask(
        "surrogate",
        b'{"prompt":"lone \\ud83d surrogate \\udc80","emoji":"\\ud83d\\ude80"}',
        "UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud83d' in position 5",
    ),
    HostileTask(
        "binary",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)),
        "PIL.UnidentifiedImageError: cannot identify image file\x00\x01\x02\x7f\x9b31m\udcff\udcfe",
    ),
    HostileTask("empty", b"", "TypeError: 'NoneType' object is not subscriptable"),
    HostileTask(
        "deep",
        b'{"a":' + b"[" * 400 + b"]" * 400 + b',"cut":{"never":',
        "RecursionError: maximum recursion depth exceeded while decoding a JSON array",
    ),
    HostileTask(
        "wide",
        '{"prompt":"漢字かな交じり文 👩‍👩‍👧‍👦 🇫🇷 e\u0301 \t tab","zalgo":"h̷e̶l̸l̵o"}'.encode(),
        "AssertionError: 期待値と異なります 👩‍👩‍👧‍👦\ttab\rcarriage return",
    ),
    HostileTask(
        "long line",
        b'{"data":"' + b"A" * 20_000 + b'"}',
        "ValueError: " + "x" * 5000,
    ),
)


def hostile_error(rng: Random) -> str:
    """One of the hostile error texts; bytes that are no UTF-8 are surrogates."""
    return rng.choice(HOSTILE).error


_RUNNER = (
    "permanent failure: Traceback (most recent call last):\n"
    '  File "{home}/.venv/lib/python3.11/site-packages/runqy_python/runner.py", line 118, in run\n'
    "    result = handler(payload, ctx)\n"
    "             ^^^^^^^^^^^^^^^^^^^^^\n"
)
_PROMPT_TOO_LONG = (
    '  File "{home}/main.py", line 26, in handle\n'
    '    raise ValueError(f"bad input: prompt too long ({n} > {limit} tokens)")\n'
    "ValueError: bad input: prompt too long (4097 > 4096 tokens)\n"
)
_MISSING_FIELD = (
    '  File "{home}/main.py", line 19, in handle\n'
    '    act = payload.get("action", "ok")\n'
    "          ^^^^^^^^^^^\n"
    "AttributeError: 'NoneType' object has no attribute 'get'\n"
)
_OUT_OF_MEMORY = (
    '  File "{home}/main.py", line 71, in handle\n'
    "    image = pipe(prompt, num_inference_steps=steps).images[0]\n"
    "            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    '  File "{home}/.venv/lib/python3.11/site-packages/diffusers/pipelines/flux/pipeline_flux.py",'
    " line 912, in __call__\n"
    "    noise_pred = self.transformer(hidden_states=latents, timestep=timestep / 1000)[0]\n"
    '  File "{home}/.venv/lib/python3.11/site-packages/torch/nn/modules/linear.py", line 125,'
    " in forward\n"
    "    return F.linear(input, self.weight, self.bias)\n"
    "           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total "
    "capacity of 44.99 GiB of which 1.19 GiB is free.\n"
)
_BAD_IMAGE = (
    '  File "{home}/main.py", line 40, in load\n'
    "    return Image.open(BytesIO(blob)).convert('RGB')\n"
    "           ^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    "PIL.UnidentifiedImageError: cannot identify image file <_io.BytesIO object at 0x7f3c2a1b>\n"
)
_CHAINED = (
    '  File "{home}/main.py", line 33, in post\n'
    "    with urlopen(request, timeout=10) as response:\n"
    "         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    "urllib.error.URLError: <urlopen error [Errno 111] Connection refused>\n"
    "\n"
    "During handling of the above exception, another exception occurred:\n"
    "\n"
    "Traceback (most recent call last):\n"
    '  File "{home}/main.py", line 51, in handle\n'
    '    raise DeliveryError(f"gave up on {url}")\n'
    "main.DeliveryError: gave up on https://hooks.example.com/initech\n"
)
_DECODE = (
    '  File "{home}/main.py", line 88, in handle\n'
    '    text = raw.decode("utf-8")\n'
    "           ^^^^^^^^^^^^^^^^^^^\n"
    "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 1042: "
    "invalid continuation byte\n"
)
_BY_KIND: dict[str, tuple[str, ...]] = {
    "prompt": (
        _RUNNER + _PROMPT_TOO_LONG,
        _RUNNER + _MISSING_FIELD,
        "rate limited: HTTP 429, retry after 30s (will retry)",
    ),
    "image": (_RUNNER + _OUT_OF_MEMORY, _RUNNER + _BAD_IMAGE),
    "embedding": ("upstream timeout after 30s (will retry)", _RUNNER + _MISSING_FIELD),
    "webhook": (
        "upstream 503 (will retry)",
        "permanent failure: 400 invalid model name",
        _RUNNER + _CHAINED,
    ),
    "document": (_RUNNER + _DECODE,),
    "cuda": (
        "process crashed: CUDA error: an illegal memory access was encountered",
        "process is degraded: circuit breaker open",
    ),
}


def error_text(rng: Random, kind: str, parent: str) -> str:
    """The error of a task that fails permanently."""
    if kind == "hostile":
        return hostile_error(rng)
    home = f"/opt/runqy/deploy/{parent}/{parent}"
    return rng.choice(_BY_KIND.get(kind, ("upstream 503 (will retry)",))).replace("{home}", home)


_PROMPTS = (
    "Summarise the attached incident report in three bullet points for the on-call channel.",
    "Translate to French, keep the markdown: ## Release notes",
    "Write a product description for a waterproof hiking boot, 80 words, friendly tone.",
    "Extract every invoice number and total from the following e-mail thread.",
    "Classify the sentiment of this review: the battery died after two days.",
    "Explain to a new hire how our retry policy works, with one example.",
    "日本語で要約してください：四半期の売上は前年比で12％増加しました。",
    "Turn these meeting notes into action items with owners and due dates.",
    "Generate unit tests for the function below and explain the edge cases.",
)
_SCENES = (
    "a red bicycle leaning on a stone wall, golden hour, 35mm",
    "isometric data centre with glowing cables, soft light",
    "watercolour of a lighthouse in a storm, wide shot",
    "studio photo of a ceramic teapot on linen, shallow depth of field",
    "line drawing of a heron, single stroke, white background",
)
_TENANTS = ("acme", "globex", "initech", "umbrella", "hooli")
_FACTS = (
    "The warranty covers parts and labour for two years from the date of purchase.",
    "Reset the device by holding the power button for ten seconds.",
    "Refunds are issued to the original payment method within five working days.",
)


def payload(rng: Random, kind: str) -> bytes:
    """A payload for a task of a queue's kind."""
    return _PAYLOAD_BUILDERS[kind](rng)


def large_payload(rng: Random, size: int = 1_000_000) -> bytes:
    """A document of about ``size`` bytes, as one JSON object."""
    pages: list[dict[str, object]] = []
    length = 0
    while length < size:
        text = " ".join(rng.choices(_FACTS, k=40))
        pages.append({"page": len(pages) + 1, "text": text})
        length += len(text) + 24
    return _json({"document": "contracts/2026/framework-agreement.pdf", "pages": pages})


def result(rng: Random, kind: str) -> bytes:
    """A result as runqy's Python side stores it: ``json.dumps`` with its default spacing."""
    if kind in ("prompt", "report"):
        tokens = rng.randint(40, 900)
        value: object = {
            "text": rng.choice(_FACTS),
            "tokens": tokens,
            "finish_reason": "stop" if tokens < 880 else "length",
        }
    elif kind == "image":
        value = {"url": f"s3://renders/{rng.getrandbits(64):016x}.webp", "nsfw": False}
    elif kind == "embedding":
        vector = [round(rng.uniform(-1, 1), 4) for _ in range(24)]
        value = {"model": "bge-m3", "dim": 1024, "head": vector}
    else:
        value = {"ok": True, "ms": rng.randint(60, 4000)}
    return json.dumps(value).encode()


def _prompt(rng: Random) -> bytes:
    return _json(
        {
            "model": rng.choice(("llama-3.3-70b", "mistral-small", "qwen2.5-32b")),
            "prompt": rng.choice(_PROMPTS),
            "max_tokens": rng.choice((128, 256, 512, 1024)),
            "temperature": rng.choice((0.0, 0.2, 0.7)),
            "tenant": rng.choice(_TENANTS),
        }
    )


def _image(rng: Random) -> bytes:
    return _json(
        {
            "prompt": rng.choice(_SCENES),
            "steps": rng.choice((20, 30, 50)),
            "size": rng.choice(([1024, 1024], [1344, 768])),
            "seed": rng.getrandbits(31),
        }
    )


def _embedding(rng: Random) -> bytes:
    return _json({"model": "bge-m3", "input": rng.choices(_FACTS, k=rng.randint(1, 4))})


def _cuda(rng: Random) -> bytes:
    return _json(
        {
            "action": "finetune_step",
            "run": f"lora-{rng.randint(1, 40)}",
            "batch": rng.randint(1, 64),
        }
    )


def _webhook(rng: Random) -> bytes:
    return _json(
        {
            "url": f"https://hooks.example.com/{rng.choice(_TENANTS)}",
            "event": rng.choice(("generation.done", "generation.failed", "quota.warning")),
            "id": f"evt_{rng.getrandbits(48):012x}",
        }
    )


def _event(rng: Random) -> bytes:
    return _json(
        {"tenant": rng.choice(_TENANTS), "metric": "tokens", "value": rng.randint(1, 4000)}
    )


def _document(rng: Random) -> bytes:
    return _json(
        {
            "source": f"s3://ingest/{rng.choice(_TENANTS)}/{rng.getrandbits(40):010x}.pdf",
            "chunk_tokens": 512,
            "overlap": 64,
            "ocr": rng.random() < 0.3,
        }
    )


def _report(rng: Random) -> bytes:
    return _json(
        {"report": rng.choice(("usage", "cost", "quality")), "tenant": rng.choice(_TENANTS)}
    )


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


_PAYLOAD_BUILDERS: dict[str, Callable[[Random], bytes]] = {
    "prompt": _prompt,
    "image": _image,
    "embedding": _embedding,
    "cuda": _cuda,
    "webhook": _webhook,
    "event": _event,
    "document": _document,
    "report": _report,
}
