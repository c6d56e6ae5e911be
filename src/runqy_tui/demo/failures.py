"""Why tasks fail: error texts as ``runqy-worker`` records them, Python tracebacks among them."""

from __future__ import annotations

from random import Random

from runqy_tui.demo.hostile import hostile_error

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
    """The error of a task that fails for good."""
    if kind == "hostile":
        return hostile_error(rng)
    home = f"/opt/runqy/deploy/{parent}/{parent}"
    return rng.choice(_BY_KIND.get(kind, ("upstream 503 (will retry)",))).replace("{home}", home)
